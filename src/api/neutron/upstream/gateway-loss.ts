import type { Forward } from '../../../model/forward.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { NeutronFault } from '../faults.ts';
import { isAt } from '../forwarding-spec.ts';
import { portOf } from './port-label.ts';
import { outsideOf, type RouterOutside } from './router-outside.ts';

export interface GatewayUses {
  readonly neutron: Pick<NeutronClient, 'router'>;
  readonly forwards: Forwards;
}

/**
 * The router's external gateway, and the forwards that Neutron's clients see there, of whatever project; `null` without any.
 * Neutron is asked only where there are forwards. Errors: those of `NeutronClient`.
 */
export async function gatewayInUse(
  { neutron, forwards }: GatewayUses,
  credentials: Credentials,
  router: string,
): Promise<{ readonly outside: RouterOutside; readonly uses: readonly Forward[] } | null> {
  const all = [...forwards.ofRouter(router).values()];
  if (all.length === 0) return null;
  const there = await neutron.router(credentials, router);
  const outside = there && outsideOf(there);
  if (outside === null) return null;
  const uses = all.filter((forward) => isAt({ router, address: outside.address }, forward));
  return uses.length === 0 ? null : { outside, uses };
}

/** Whether a request leaves the router the gateway that it has; what Neutron refuses leaves it. */
export type Keeps = (outside: RouterOutside) => boolean;

/**
 * Neutron does not let a router lose a gateway that floating IPs need; here the gateway itself is one, so its address counts
 * as well: without it, clients could neither see nor remove the forwards. Error: `RouterExternalGatewayInUseByFloatingIp`.
 */
export async function refuseGatewayLoss(
  uses: GatewayUses,
  credentials: Credentials,
  router: string,
  keeps: Keeps,
): Promise<void> {
  const inUse = await gatewayInUse(uses, credentials, router);
  if (inUse !== null && !keeps(inUse.outside)) throw inUseByFloatingIp(router, inUse.outside);
}

/** Forwards that were made for ports go with the router; others would stay behind. Error: as above. */
export async function refuseRouterLoss(uses: GatewayUses, credentials: Credentials, router: string): Promise<void> {
  const inUse = await gatewayInUse(uses, credentials, router);
  if (inUse?.uses.some((forward) => portOf(forward) === null)) throw inUseByFloatingIp(router, inUse.outside);
}

function inUseByFloatingIp(router: string, { networkId }: RouterOutside): NeutronFault {
  return new NeutronFault(
    'RouterExternalGatewayInUseByFloatingIp',
    `Gateway cannot be updated for router ${router}, since a gateway to external network ${networkId} ` +
      'is required by one or more floating IPs.',
  );
}
