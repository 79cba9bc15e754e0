import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { NeutronFault } from '../faults.ts';
import { portOf } from './port-label.ts';

/** What a request to remove an interface of a router names, as JSON. */
export interface RemovedInterface {
  readonly subnet: string | null;
  readonly port: string | null;
}

/** Reads the body of `remove_router_interface`; what makes no sense is Neutron's to refuse. */
export function readInterface(body: Buffer): RemovedInterface {
  const content = parse(body.toString());
  const named = (key: string): string | null => {
    const value = content.get(key);
    return typeof value === 'string' ? value : null;
  };
  return { subnet: named('subnet_id'), port: named('port_id') };
}

function parse(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

/** An interface through which a forward's port is reached stays. Error: `RouterInterfaceInUseByFloatingIP`. */
export async function refuseInUse(
  neutron: NeutronClient,
  credentials: Credentials,
  forwards: Forwards,
  router: string,
  removed: RemovedInterface,
): Promise<void> {
  const made = [...forwards.ofRouter(router).values()].flatMap((forward) => {
    const port = portOf(forward);
    return port === null ? [] : [{ port, address: forward.internalAddress.text }];
  });
  if (made.length === 0) return;
  const leaving = await subnetsOf(neutron, credentials, removed);
  const ports = await neutron.portsById(credentials, [...new Set(made.map(({ port }) => port))]);
  const used = ports.flatMap(({ id, fixed_ips }) =>
    fixed_ips.filter(({ ip_address }) => made.some(({ port, address }) => port === id && address === ip_address)),
  );
  const inUse = used.find(({ subnet_id }) => leaving.includes(subnet_id));
  if (inUse === undefined) return;
  throw new NeutronFault(
    'RouterInterfaceInUseByFloatingIP',
    `Router interface for subnet ${inUse.subnet_id} on router ${router} cannot be deleted, ` +
      'as it is required by one or more floating IPs.',
  );
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
