import type { Forward } from '../../../model/forward.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import { portOf } from './port-label.ts';
import { insideOf } from './router-inside.ts';

const NOBODY: ReadonlyMap<string, string> = new Map();

type PortIds = ReadonlyMap<ForwardId, readonly string[]>;

/** The port of each forward of a router; of those that were made for an address, the port that has it now. */
export async function findPortIds(
  neutron: NeutronClient,
  credentials: Credentials,
  router: string,
  forwards: readonly Forward[],
): Promise<PortIds> {
  const unnamed = forwards.filter((forward) => portOf(forward) === null);
  const found = unnamed.length === 0 ? NOBODY : await portsInside(neutron, credentials, router, unnamed);
  return new Map(
    forwards.map((forward) => {
      const id = portOf(forward) ?? found.get(forward.internalAddress.text);
      return [forward.id, id === undefined ? [] : [id]];
    }),
  );
}

/** By address, the ids of ports in the router's subnets. */
async function portsInside(
  neutron: NeutronClient,
  credentials: Credentials,
  router: string,
  forwards: readonly Forward[],
): Promise<ReadonlyMap<string, string>> {
  const [inside, ports] = await Promise.all([
    insideOf(neutron, credentials, router),
    neutron.portsAt(credentials, [...new Set(forwards.map(({ internalAddress }) => internalAddress.text))]),
  ]);
  const places = ports.flatMap(({ id, fixed_ips }) => fixed_ips.map((fixedIp) => ({ ...fixedIp, id })));
  return new Map(places.filter(({ subnet_id }) => inside.has(subnet_id)).map(({ ip_address, id }) => [ip_address, id]));
}
