import type { Address } from '../../../model/address.ts';
import { isUuid } from '../../../model/ids.ts';
import type { RouterId } from '../../../model/router.ts';
import { createDeriveId } from './derived-ids.ts';

/** The UUIDs by which Neutron's clients know what hatoba has other names for, or none. All stay the same for ever. */
export interface Identities {
  /** Of a router: its own, where it is one. */
  router(router: RouterId): string;
  /** Of a router's gateway address, as a floating IP. */
  floatingIp(router: RouterId, address: Address): string;
  /** Of the port that has the address behind the router. */
  port(router: RouterId, address: Address): string;
  /** Of the router's port that has its gateway address. */
  gatewayPort(router: RouterId, address: Address): string;
  /** Of the network outside all routers. */
  readonly outside: string;
  /** Of the network behind the router. */
  inside(router: RouterId): string;
  /** Of the one subnet that a network has here. */
  subnet(network: string): string;
}

export function createIdentities(): Identities {
  const derive = createDeriveId();
  return {
    router: (router) => (isUuid(router) ? router : derive('router', router)),
    floatingIp: (router, { text }) => derive('floatingip', router, text),
    port: (router, { text }) => derive('port', router, text),
    gatewayPort: (router, { text }) => derive('gateway-port', router, text),
    outside: derive('network', 'outside'),
    inside: (router) => derive('network', 'inside', router),
    subnet: (network) => derive('subnet', network),
  };
}
