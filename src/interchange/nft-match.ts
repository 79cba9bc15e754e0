import type { Family } from '../model/address.ts';
import { type Intervals, intersect, subtract, unite } from './intervals.ts';
import { anyPacket, both, type Match } from './iptables-rule.ts';
import { addressOrNull, protocolsOf } from './iptables-values.ts';

/** A value of `nft -j` (man 5 libnftables-json), as far as it has been looked at. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Which packets a statement `match` lets through; what cannot be told is a condition. */
export function readNftMatch(statement: Json, family: Family): Match {
  const { left } = statement;
  if (isJson(left) && Array.isArray(left['concat'])) return readConcat(left['concat'], statement, family);
  const subject = subjectOf(left);
  const all = anyPacket(family);
  if (subject !== null && subject.family !== null && subject.family !== family) {
    return { ...all, protocols: new Set<never>() };
  }
  // What the header is of that it looks into, it demands by the way.
  const protocol = subject?.protocol ?? null;
  const protocols = protocol === null ? null : protocolsOf(protocol, false);
  const any = protocols === null ? all : { ...all, protocols };
  const known = subject && readComparison(subject, statement, family, any);
  return known ?? { ...any, unclear: [describe(left)] };
}

/** What a map has that is written out in its rule; `null`: it is elsewhere. */
export function entriesOf(map: unknown): readonly (readonly [key: unknown, value: unknown])[] | null {
  const entries = isJson(map) && isJson(map['data']) ? map['data']['set'] : undefined;
  return Array.isArray(entries)
    ? entries.filter((entry): entry is unknown[] => Array.isArray(entry)).map(([key, value]) => [key, value])
    : null;
}

/** The packets for which a map has something. */
export function readNftKeys(map: Json, family: Family): Match {
  const { key: left, data } = map;
  const entries = entriesOf(map);
  return readNftMatch(
    { op: '==', left, right: entries === null ? data : { set: entries.map(([key]) => key) } },
    family,
  );
}

/** The values of each part by themselves; which of them go together is a condition, where there are several. */
function readConcat(parts: readonly unknown[], { op, right }: Json, family: Family): Match {
  const values = setOf(right).map((one) => (isJson(one) ? one['concat'] : undefined));
  const unclear: Match = { ...anyPacket(family), unclear: [describe({ concat: null })] };
  const known = values.filter((one) => Array.isArray(one));
  if (op !== '==' || known.length < values.length) return unclear;
  const matches = parts.map((left, at) =>
    readNftMatch({ op, left, right: { set: known.map((one): unknown => one[at]) } }, family),
  );
  return matches.reduce(both, known.length > 1 ? unclear : anyPacket(family));
}

/** What stands on the left side, in short: `ct state`, `iifname`, `ip ttl`. */
function describe(left: unknown): string {
  if (!isJson(left)) return 'a condition';
  const [[kind, content] = ['a condition', null]] = Object.entries(left);
  if (!isJson(content)) return kind;
  const words = kind === 'payload' ? [content['protocol'], content['field']] : [kind, content['key']];
  return words.filter((word) => typeof word === 'string').join(' ');
}

function readComparison({ kind }: Subject, { op, right }: Json, family: Family, any: Match): Match | null {
  const isNegated = op === '!=';
  const within = (all: Intervals, some: Intervals | null) => {
    if (some === null || !(op === '==' || isNegated)) return null;
    return isNegated ? subtract(all, some) : intersect(all, some);
  };
  switch (kind) {
    case 'family': {
      if (op !== '==' && !isNegated) return null;
      const isFamily = setOf(right).includes(`ipv${family}`);
      return isFamily === isNegated ? { ...any, protocols: new Set<never>() } : any;
    }
    case 'protocol': {
      const names = setOf(right).map((name) => printed(name));
      if (names.some((name) => name === null || name.startsWith('@')) || !(op === '==' || isNegated)) return null;
      const sets = names.map((name) => protocolsOf(name ?? '', isNegated)).filter((protocols) => protocols !== null);
      if (sets.length < names.length) return null;
      const [first, ...others] = sets;
      const join = (a: Match['protocols'], b: Match['protocols']) => (isNegated ? a.intersection(b) : a.union(b));
      return first === undefined ? null : { ...any, protocols: others.reduce(join, first) };
    }
    case 'source': {
      const sources = within(any.sources, addressesOf(right, family));
      return sources && { ...any, sources };
    }
    case 'destination': {
      const destinations = within(any.destinations, addressesOf(right, family));
      return destinations && { ...any, destinations };
    }
    case 'port': {
      const ports = within(any.ports, portsOf(right));
      return ports && { ...any, ports };
    }
  }
}

interface Subject {
  readonly kind: 'family' | 'protocol' | 'source' | 'destination' | 'port';
  /** Null: of either. */
  readonly family: Family | null;
  /** Null: of any. */
  readonly protocol: string | null;
}

const ADDRESSES: Readonly<Record<string, Family>> = { ip: 4, ip6: 6 };
const WITH_PORTS = ['tcp', 'udp', 'sctp', 'dccp', 'udplite'];

/** Null: neither addresses, ports nor protocols. */
function subjectOf(left: unknown): Subject | null {
  if (!isJson(left)) return null;
  const { payload, meta } = left;
  if (isJson(meta)) {
    if (meta['key'] === 'l4proto') return { kind: 'protocol', family: null, protocol: null };
    return meta['key'] === 'nfproto' ? { kind: 'family', family: null, protocol: null } : null;
  }
  if (!isJson(payload)) return null;
  const { protocol, field } = payload;
  const family = typeof protocol === 'string' ? (ADDRESSES[protocol] ?? null) : null;
  if (family !== null && field === 'saddr') return { kind: 'source', family, protocol: null };
  if (family !== null && field === 'daddr') return { kind: 'destination', family, protocol: null };
  if (family !== null && (field === 'protocol' || field === 'nexthdr')) {
    return { kind: 'protocol', family, protocol: null };
  }
  if (field !== 'dport' || typeof protocol !== 'string') return null;
  if (protocol === 'th') return { kind: 'port', family: null, protocol: null };
  return WITH_PORTS.includes(protocol) ? { kind: 'port', family: null, protocol } : null;
}

/** `{"set": […]}`, `[…]` or one value. Of what is in a set, without what is said about it (a counter, a comment). */
export function setOf(right: unknown): readonly unknown[] {
  const set: unknown = isJson(right) ? right['set'] : right;
  const values: readonly unknown[] = Array.isArray(set) ? set : [right];
  return values.map((value) => (isJson(value) && isJson(value['elem']) ? value['elem']['val'] : value));
}

function printed(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** Null: it cannot be told, or is none of the family. */
export function addressesOf(right: unknown, family: Family): Intervals | null {
  return union(setOf(right), (value) => {
    const prefix = isJson(value) ? value['prefix'] : undefined;
    if (isJson(prefix)) return network(printed(prefix['addr']), prefix['len'], family);
    return range(value, (end) => (end === null ? null : addressOrNull(end, family)));
  });
}

function network(text: string | null, length: unknown, family: Family): Intervals | null {
  const first = text === null ? null : addressOrNull(text, family);
  const width = family === 4 ? 32 : 128;
  if (first === null || typeof length !== 'number' || length > width) return null;
  return [{ first, last: first + (1n << BigInt(width - length)) - 1n }];
}

export function portsOf(right: unknown): Intervals | null {
  return union(setOf(right), (value) => {
    return range(value, (end) => (end !== null && /^\d{1,5}$/.test(end) ? BigInt(end) : null));
  });
}

function range(value: unknown, read: (end: string | null) => bigint | null): Intervals | null {
  const ends = isJson(value) ? value['range'] : [value, value];
  const [first, last] = Array.isArray(ends) ? ends.map((end) => read(printed(end))) : [];
  if (first === undefined || first === null || last === undefined || last === null || last < first) return null;
  return [{ first, last }];
}

function union(values: readonly unknown[], read: (value: unknown) => Intervals | null): Intervals | null {
  const parts = values.map(read);
  const known = parts.filter((part) => part !== null);
  return known.length < parts.length ? null : known.reduce(unite, []);
}
