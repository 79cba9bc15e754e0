import type { Credentials } from '../../../openstack/neutron/credentials.ts';

/** As whom this service itself asks Neutron. */
export interface ServiceAccount {
  readonly credentials: Credentials;
  /** Whether Neutron hides nothing from it, as from an admin. */
  readonly seesAll: boolean;
}
