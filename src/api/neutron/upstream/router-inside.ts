import type { NeutronClient, NeutronPort } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';

/** Subnets that the router has an interface in. */
export async function insideOf(
  neutron: NeutronClient,
  credentials: Credentials,
  router: string,
): Promise<ReadonlySet<string>> {
  return subnetsOf(await neutron.portsOfDevices(credentials, [router]));
}

/** Of a router with these ports. */
export function subnetsOf(ports: readonly NeutronPort[]): ReadonlySet<string> {
  const interfaces = ports.filter(({ device_owner: owner }) => owner !== 'network:router_gateway');
  return new Set(interfaces.flatMap(({ fixed_ips }) => fixed_ips.map(({ subnet_id }) => subnet_id)));
}
