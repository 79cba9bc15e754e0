import type { Address } from '../../../model/address.ts';
import type { RouterId } from '../../../model/router.ts';
import { knownGateways } from '../../../registry/statuses/statuses.ts';
import { badForwarding, NeutronFault } from '../faults.ts';
import { printLiteral } from '../python-text.ts';
import type { GatewayIp, Inquiry, Target, Topology, WishedTarget } from '../topology.ts';
import type { Identities } from './identities.ts';
import type { Port, Ports } from './ports.ts';

/** What there is by hatoba's own knowledge, with no Neutron anywhere: routers with their gateways, and addresses. */
export function createStandaloneTopology(identities: Identities, ports: Ports): Topology {
  function gatewayOf(router: RouterId, { registry, caller }: Inquiry): GatewayIp | null {
    const address = knownGateways(registry.statuses.of(router))[4];
    if (address === undefined) return null;
    return {
      id: identities.floatingIp(router, address),
      address,
      router,
      routerId: identities.router(router),
      networkId: identities.outside,
      portId: identities.gatewayPort(router, address),
      projectId: caller.project ?? '',
      tags: [],
    };
  }

  function target(inquiry: Inquiry, { router }: GatewayIp, { portId, address, operation }: WishedTarget): Target {
    if (address?.family === 4 && portId === identities.port(router, address)) return { address, labels: {} };
    const port = knownPort(inquiry, router, portId);
    if (port === null) throw new NeutronFault('PortNotFound', `Port ${portId} could not be found.`);
    if (address !== null) throw unsuitable(port, address, operation);
    return { address: port.address, labels: {} };
  }

  /** `null`: it is not known, or behind another router. */
  function knownPort(inquiry: Inquiry, router: RouterId, portId: string): Port | null {
    const port = ports.find(inquiry, portId);
    return port?.router === router ? port : null;
  }

  function unsuitable(
    { id, router, address }: Port,
    wanted: Address,
    operation: WishedTarget['operation'],
  ): NeutronFault {
    const subnet_id = identities.subnet(identities.inside(router));
    const fixedIps = printLiteral([{ subnet_id, ip_address: address.text }]);
    return badForwarding(
      operation === 'create'
        ? `Requested internal IP address ${wanted.text} is not suitable for internal neutron port ${id}, as its fixed_ips are ${fixedIps}`
        : `The internal IP does not correspond to an address on the internal port, which has fixed_ips ${fixedIps}`,
    );
  }

  return {
    gateways: async (inquiry) =>
      inquiry.registry.statuses
        .routers()
        .flatMap((router) => gatewayOf(router, inquiry) ?? [])
        .sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id))),
    async gateway(inquiry, id) {
      for (const router of inquiry.registry.statuses.routers()) {
        const gateway = gatewayOf(router, inquiry);
        if (gateway?.id === id) return gateway;
      }
      return null;
    },
    target: async (inquiry, gateway, wish) => target(inquiry, gateway, wish),
    portIds: async (_inquiry, forwards) =>
      new Map(forwards.map(({ id, router, internalAddress }) => [id, [identities.port(router, internalAddress)]])),
  };
}
