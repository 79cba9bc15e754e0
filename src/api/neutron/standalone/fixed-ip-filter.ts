import { NeutronFault } from '../faults.ts';
import { printValue } from '../python-text.ts';
import type { Identities } from './identities.ts';
import type { Port } from './ports.ts';

/** What `fixed_ips=subnet_id=S&fixed_ips=ip_address=A` asks for: one fixed IP that has a value of each key (Neutron, db/db_base_plugin_v2.py). */
export interface FixedIpFilter {
  /** `null`: any. */
  readonly addresses: readonly string[] | null;
  readonly matches: (port: Port) => boolean;
}

/** Keys that Neutron knows; it leaves out others. Error: `InvalidInput`, for what is not `key=value`. */
export function readFixedIpFilter(values: readonly string[], identities: Identities): FixedIpFilter {
  const byKey = Map.groupBy(values.map(readPair), ([key]) => key);
  const valuesOf = (key: string) => byKey.get(key)?.map(([, value]) => value) ?? null;
  const [addresses, parts, subnets] = ['ip_address', 'ip_address_substr', 'subnet_id'].map(valuesOf);
  return {
    addresses: addresses ?? null,
    matches: ({ router, address: { text } }) =>
      (addresses?.includes(text) ?? true) &&
      (parts?.some((part) => text.includes(part)) ?? true) &&
      (subnets?.includes(identities.subnet(identities.inside(router))) ?? true),
  };
}

function readPair(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=');
  if (at >= 0) return [text.slice(0, at), text.slice(at + 1)];
  const reason = `'${printValue(text)}' is not of the form <key>=[value]`;
  throw new NeutronFault('InvalidInput', `Invalid input for operation: ${reason}.`);
}
