import type { Intervals } from '../../../interchange/intervals.ts';
import { addressValue, type Family, parseAnyAddress } from '../../../model/address.ts';
import { networkOf } from '../../../model/cidr.ts';
import { HatobaError } from '../../../model/errors.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import { isList, isRecord, type Json } from './json.ts';
import {
  type Condition,
  every,
  exactly,
  isAmong,
  not,
  type PassingPacket,
  some,
  type Truth,
  truthOf,
} from './passing-packet.ts';

/** What a statement of a rule demands of a packet; `null`: nothing, it does something. */
export function nftCondition(statement: Json): Condition | null {
  if (!isRecord(statement)) return () => 'maybe';
  // A match of iptables' that nft cannot read, and a limit that may be reached.
  if ('xt' in statement || 'limit' in statement || 'quota' in statement) return () => 'maybe';
  const match = statement['match'];
  if (!isRecord(match)) return null;
  const { op, left, right } = match;
  const value = (packet: PassingPacket) => readValue(left, packet);
  switch (op) {
    case '==':
    case 'in':
      return (packet) => equals(value(packet), right);
    case '!=':
      return (packet) => not(equals(value(packet), right));
    default:
      return () => 'maybe';
  }
}

export interface MappedVerdict {
  readonly condition: Condition;
  readonly verdict: Readonly<Record<string, Json>>;
}

/** The verdicts of a map that is written out in its rule; `null`: it is elsewhere. */
export function verdictMap(map: Json): readonly MappedVerdict[] | null {
  const data = isRecord(map) && isRecord(map['data']) ? map['data']['set'] : undefined;
  if (!isRecord(map) || !isList(data)) return null;
  return data.flatMap((entry) => {
    if (!isList(entry) || !isRecord(entry[1])) return [];
    const [wanted, verdict] = entry;
    return [{ condition: (packet: PassingPacket) => equals(readValue(map['key'], packet), wanted), verdict }];
  });
}

/** What a part of a packet is, as far as it is known. */
type Value =
  | { readonly kind: 'text' | 'flag'; readonly texts: readonly string[] }
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'address'; readonly family: Family; readonly possible: Intervals }
  | { readonly kind: 'list'; readonly values: readonly Value[] }
  | { readonly kind: 'absent' | 'unknown' };

const UNKNOWN: Value = { kind: 'unknown' };
const ABSENT: Value = { kind: 'absent' };

function readValue(expression: Json, packet: PassingPacket): Value {
  if (!isRecord(expression)) return UNKNOWN;
  const { meta, payload, ct, concat } = expression;
  if (isList(concat)) return { kind: 'list', values: concat.map((part) => readValue(part, packet)) };
  if (isRecord(meta)) return metaOf(String(meta['key']), packet);
  if (isRecord(payload)) return fieldOf(String(payload['protocol']), String(payload['field']), packet);
  if (isRecord(ct)) return connectionOf(ct, packet);
  return UNKNOWN;
}

function metaOf(key: string, packet: PassingPacket): Value {
  const { from, to, family, protocol, mark } = packet;
  switch (key) {
    case 'iif':
    case 'iifname':
      return from === null ? UNKNOWN : { kind: 'name', text: from };
    case 'oif':
    case 'oifname':
      return to === null ? UNKNOWN : { kind: 'name', text: to };
    case 'nfproto':
      return { kind: 'text', texts: [`ipv${family}`] };
    case 'protocol':
      return { kind: 'text', texts: [family === 4 ? 'ip' : 'ip6'] };
    case 'l4proto':
      return { kind: 'text', texts: [protocol, String(PROTOCOL_NUMBERS[protocol])] };
    case 'mark':
      return mark.known === 0xffff_ffff ? { kind: 'number', number: mark.value } : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function fieldOf(header: string, field: string, packet: PassingPacket): Value {
  const { family, protocol, source, sourcePort, destination, destinationPort } = packet;
  const address = (possible: Intervals): Value => ({ kind: 'address', family, possible });
  const port = (known: number | null): Value => (known === null ? UNKNOWN : { kind: 'number', number: known });
  if (header === 'ip' || header === 'ip6') {
    if (header !== (family === 4 ? 'ip' : 'ip6')) return ABSENT;
    if (field === 'saddr') return address(source);
    if (field === 'daddr') return address(destination);
    if (field === 'protocol' || field === 'nexthdr') return metaOf('l4proto', packet);
    return UNKNOWN;
  }
  if (header !== 'th' && header !== protocol) return ABSENT;
  if (field === 'dport') return port(destinationPort);
  return field === 'sport' ? port(sourcePort) : UNKNOWN;
}

/** SNAT: hatoba may have masqueraded it, where client and target are in one network. */
function connectionOf(
  { key, dir }: Readonly<Record<string, Json>>,
  { direction, asked, protocol }: PassingPacket,
): Value {
  switch (key) {
    case 'state':
      return { kind: 'flag', texts: [direction === 'request' ? 'new' : 'established'] };
    case 'status':
      return { kind: 'flag', texts: ['dnat'] };
    case 'direction':
      return { kind: 'text', texts: [direction === 'request' ? 'original' : 'reply'] };
    case 'protocol':
      return { kind: 'text', texts: [protocol, String(PROTOCOL_NUMBERS[protocol])] };
    case 'daddr':
    case 'ip daddr':
    case 'ip6 daddr':
      return dir === 'original'
        ? { kind: 'address', family: asked.address.family, possible: exactly(addressValue(asked.address)) }
        : UNKNOWN;
    case 'proto-dst':
      return dir === 'original' ? { kind: 'number', number: asked.port } : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

/** Flags that a connection may have besides those that are known. */
const POSSIBLE_FLAGS = ['snat', 'assured', 'confirmed', 'seen-reply', 'expected', 'dying'];

/** Whether the value is that, or among those. */
function equals(value: Value, wanted: Json): Truth {
  if (value.kind === 'absent') return 'no';
  if (isRecord(wanted) && isList(wanted['set'])) return some(wanted['set'].map((one) => equals(value, one)));
  if (isRecord(wanted) && isRecord(wanted['elem'])) return equals(value, wanted['elem']['val']);
  if (typeof wanted === 'string' && wanted.startsWith('@')) return 'maybe';
  switch (value.kind) {
    case 'unknown':
      return 'maybe';
    case 'list': {
      const parts = isRecord(wanted) ? wanted['concat'] : undefined;
      return isList(parts) ? every(value.values.map((part, at) => equals(part, parts[at]))) : 'maybe';
    }
    case 'flag':
      return some((isList(wanted) ? wanted : [wanted]).map((flag) => hasFlag(value.texts, String(flag))));
    case 'text':
      return truthOf(value.texts.includes(String(wanted)));
    case 'name':
      return typeof wanted === 'string' ? nameIs(value.text, wanted) : 'maybe';
    case 'number':
      return numberIs(value.number, wanted);
    case 'address':
      return addressIs(value, wanted);
  }
}

function hasFlag(known: readonly string[], flag: string): Truth {
  if (known.includes(flag)) return 'yes';
  return POSSIBLE_FLAGS.includes(flag) ? 'maybe' : 'no';
}

/** `*` at the end stands for any characters. */
function nameIs(name: string, pattern: string): Truth {
  return truthOf(pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
}

function numberIs(number: number, wanted: Json): Truth {
  if (typeof wanted === 'number') return truthOf(number === wanted);
  const range = isRecord(wanted) ? wanted['range'] : undefined;
  if (!isList(range) || typeof range[0] !== 'number' || typeof range[1] !== 'number') return 'maybe';
  return truthOf(range[0] <= number && number <= range[1]);
}

function addressIs({ family, possible }: Value & { readonly kind: 'address' }, wanted: Json): Truth {
  const span = spanOf(wanted);
  if (span === null) return 'maybe';
  return span.family === family ? isAmong(possible, [{ first: span.first, last: span.last }]) : 'no';
}

interface Span {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** `null`: something else than an address, a network or a range of addresses. */
function spanOf(wanted: Json): Span | null {
  if (typeof wanted === 'string') return spanBetween(wanted, wanted);
  if (!isRecord(wanted)) return null;
  const { prefix, range } = wanted;
  if (isList(range)) return spanBetween(String(range[0]), String(range[1]));
  if (!isRecord(prefix)) return null;
  const base = spanBetween(String(prefix['addr']), String(prefix['addr']));
  return base && networkOf(base.family, base.first, Number(prefix['len']));
}

function spanBetween(from: string, to: string): Span | null {
  try {
    const [first, last] = [parseAnyAddress(from), parseAnyAddress(to)];
    return first.family === last.family ? { family: first.family, first: first.value, last: last.value } : null;
  } catch (error) {
    if (error instanceof HatobaError) return null;
    throw error;
  }
}
