import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { NeutronFault } from '../faults.ts';
import { gatewayInUse } from './gateway-loss.ts';
import { readObject } from './json-body.ts';
import { portOf } from './port-label.ts';

/** What a request to remove an interface of a router names, as JSON. */
export interface RemovedInterface {
  readonly subnet: string | null;
  readonly port: string | null;
}

/** Reads the body of `remove_router_interface`; what makes no sense is Neutron's to refuse. */
export function readInterface(body: Buffer): RemovedInterface {
  const content = readObject(body);
  const named = (key: string): string | null => {
    const value = content.get(key);
    return typeof value === 'string' ? value : null;
  };
  return { subnet: named('subnet_id'), port: named('port_id') };
}

/**
 * An interface through which a forward's target is reached stays, as long as the forward is at a gateway, where it can be seen
 * and removed. Error: `RouterInterfaceInUseByFloatingIP`.
 */
export async function refuseInUse(
  neutron: NeutronClient,
  credentials: Credentials,
  forwards: Forwards,
  router: string,
  removed: RemovedInterface,
): Promise<void> {
  const inUse = await gatewayInUse({ neutron, forwards }, credentials, router);
  if (inUse === null) return;
  const targets = inUse.uses.map((forward) => ({ port: portOf(forward), address: forward.internalAddress.text }));
  const leaving = await subnetsOf(neutron, credentials, removed);
  const [made, others] = await Promise.all([
    neutron.portsById(credentials, distinct(targets.flatMap(({ port }) => port ?? []))),
    neutron.portsAt(credentials, distinct(targets.flatMap(({ port, address }) => (port === null ? address : [])))),
  ]);
  const used = [...made, ...others].flatMap(({ id, fixed_ips }) =>
    fixed_ips.filter(({ ip_address }) =>
      targets.some(({ port, address }) => address === ip_address && (port === null || port === id)),
    ),
  );
  const needed = used.find(({ subnet_id }) => leaving.includes(subnet_id));
  if (needed === undefined) return;
  throw new NeutronFault(
    'RouterInterfaceInUseByFloatingIP',
    `Router interface for subnet ${needed.subnet_id} on router ${router} cannot be deleted, ` +
      'as it is required by one or more floating IPs.',
  );
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

async function subnetsOf(
  neutron: NeutronClient,
  credentials: Credentials,
  { subnet, port }: RemovedInterface,
): Promise<readonly string[]> {
  if (subnet !== null) return [subnet];
  const fixedIps = port === null ? undefined : (await neutron.port(credentials, port))?.fixed_ips;
  return (fixedIps ?? []).map(({ subnet_id }) => subnet_id);
}
