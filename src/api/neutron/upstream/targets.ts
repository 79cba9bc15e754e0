import { parseAddress } from '../../../model/address.ts';
import type { NeutronFloatingIp, NeutronPort } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import { badForwarding, NeutronFault } from '../faults.ts';
import { printLiteral } from '../python-text.ts';
import type { GatewayIp, Target, WishedTarget } from '../topology.ts';
import { labelsOf } from './port-label.ts';
import type { TargetSources } from './target-sources.ts';

type FixedIp = NeutronPort['fixed_ips'][number];

/**
 * Where a forward may lead: to an IPv4 address of a port that there is for whoever asks, in a subnet that the router
 * has an interface in, where nothing leads already as a floating IP of its own. Errors: those of Neutron, in its order.
 */
export async function findTarget(
  neutron: TargetSources,
  credentials: Credentials,
  gateway: GatewayIp,
  wish: WishedTarget,
): Promise<Target> {
  const port = await neutron.port(credentials, wish.portId);
  if (port === null) throw new NeutronFault('PortNotFound', `Port ${wish.portId} could not be found.`);
  const fixedIp = fixedIpOf(port, wish);
  const [bound, inside] = await Promise.all([
    neutron.floatingIpsOfPort(credentials, port.id),
    neutron.insideOf(credentials, gateway.router),
  ]);
  const [binding] = bound;
  if (binding !== undefined) throw alreadyBound(binding, port, fixedIp);
  if (!inside.has(fixedIp.subnet_id)) throw unreachable(gateway, port, fixedIp);
  return { address: parseAddress(fixedIp.ip_address), labels: labelsOf(port, gateway.router, fixedIp.ip_address) };
}

/** That of the address, or the first. */
function fixedIpOf(port: NeutronPort, { address, operation }: WishedTarget): FixedIp {
  const fixedIps = port.fixed_ips.filter(({ ip_address }) => !ip_address.includes(':'));
  const [first] = fixedIps;
  if (first === undefined) {
    throw badForwarding(`Requested internal port ${port.id} must allocate an IPv4 address at least.`);
  }
  if (address === null) return first;
  const found = fixedIps.find(({ ip_address }) => ip_address === address.text);
  if (found !== undefined) return found;
  const there = printLiteral(fixedIps);
  throw badForwarding(
    operation === 'create'
      ? `Requested internal IP address ${address.text} is not suitable for internal neutron port ${port.id}, as its fixed_ips are ${there}`
      : `The internal IP does not correspond to an address on the internal port, which has fixed_ips ${there}`,
  );
}

function alreadyBound(binding: NeutronFloatingIp, port: NeutronPort, { ip_address }: FixedIp): NeutronFault {
  return new NeutronFault(
    'PortHasBindingFloatingIP',
    `Cannot create port forwarding to floating IP ${binding.floating_ip_address} (${binding.id}) with port ${port.id} ` +
      `using fixed IP ${ip_address}, as that port already has a binding floating IP.`,
  );
}

function unreachable({ id, networkId }: GatewayIp, port: NeutronPort, { subnet_id }: FixedIp): NeutronFault {
  return badForwarding(
    `External network ${networkId} is not reachable from subnet ${subnet_id}. ` +
      `Cannot set Port forwarding for port ${port.id} with Floating IP ${id}`,
  );
}
