import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';

/** Subnets that the router has an interface in. */
export async function insideOf(
  neutron: NeutronClient,
  credentials: Credentials,
  router: string,
): Promise<ReadonlySet<string>> {
  const ports = await neutron.portsOfDevice(credentials, router);
  const interfaces = ports.filter(({ device_owner: owner }) => owner !== 'network:router_gateway');
  return new Set(interfaces.flatMap(({ fixed_ips }) => fixed_ips.map(({ subnet_id }) => subnet_id)));
}
