import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import type { ServiceAccount } from './account.ts';
import type { RouterOwners } from './router-owners.ts';

/** Which Neutron this stands in front of. */
export interface UpstreamOptions {
  readonly upstream: Upstream;
  readonly owners: RouterOwners;
  /** Rejects where it cannot be used at present. */
  readonly account: () => Promise<ServiceAccount>;
  /** Between looks for ports that are gone, in milliseconds. */
  readonly sweepInterval: number;
}
