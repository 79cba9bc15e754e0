import type { Forward } from '../../../model/forward.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import { portOf } from './port-label.ts';
import { subnetsOf } from './router-inside.ts';

type PortIds = ReadonlyMap<ForwardId, readonly string[]>;

/** The port of each forward; of those that were made for an address, the port that has it now behind their router. */
export async function findPortIds(
  neutron: NeutronClient,
  credentials: Credentials,
  forwards: readonly Forward[],
): Promise<PortIds> {
  const unnamed = forwards.filter((forward) => portOf(forward) === null);
  const found = await portsInside(neutron, credentials, unnamed);
  return new Map(forwards.map((forward) => [forward.id, [portOf(forward) ?? found.get(forward.id) ?? []].flat()]));
}

/** The ports in subnets of the forwards' routers, asked for at once for all of them. */
async function portsInside(
  neutron: NeutronClient,
  credentials: Credentials,
  forwards: readonly Forward[],
): Promise<ReadonlyMap<ForwardId, string>> {
  const [own, ports] = await Promise.all([
    neutron.portsOfDevices(credentials, [...new Set(forwards.map(({ router }) => router))]),
    neutron.portsAt(credentials, [...new Set(forwards.map(({ internalAddress }) => internalAddress.text))]),
  ]);
  const ownPorts = Map.groupBy(own, ({ device_id: router }) => router);
  const inside = new Map([...ownPorts].map(([router, those]) => [router, subnetsOf(those)]));
  const places = ports.flatMap(({ id, fixed_ips }) => fixed_ips.map((fixedIp) => ({ ...fixedIp, port: id })));
  const byAddress = Map.groupBy(places, ({ ip_address: address }) => address);
  return new Map(
    forwards.flatMap(({ id, router, internalAddress }): readonly [ForwardId, string][] => {
      const there = byAddress.get(internalAddress.text) ?? [];
      const place = there.findLast(({ subnet_id: subnet }) => inside.get(router)?.has(subnet) ?? false);
      return place === undefined ? [] : [[id, place.port]];
    }),
  );
}
