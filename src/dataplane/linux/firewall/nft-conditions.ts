import {
  addressesOf,
  entriesOf,
  isJson,
  type Json,
  portsOf,
  readNftMatch,
  setOf,
} from '../../../interchange/nft-match.ts';
import { addressValue } from '../../../model/address.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import { matchCondition, portWithin } from './match-condition.ts';
import { all, type Condition, exactly, isAmong, markIs, not, some, type Truth, truthOf } from './passing-packet.ts';

const [YES, MAYBE]: readonly [Condition, Condition] = [() => 'yes', () => 'maybe'];

/** What a statement of a rule demands of a packet; `null`: nothing, it does something. */
export function nftCondition(statement: Json): Condition | null {
  // A match of iptables' that nft cannot read, and a limit that may be reached.
  if ('xt' in statement || 'limit' in statement || 'quota' in statement) return MAYBE;
  const match = statement['match'];
  return isJson(match) ? comparison(match) : null;
}

export interface MappedVerdict {
  readonly condition: Condition;
  readonly verdict: Json;
}

/** The verdicts of a map that is written out in its rule; `null`: it is elsewhere. */
export function verdictMap(map: unknown): readonly MappedVerdict[] | null {
  const left = isJson(map) ? map['key'] : undefined;
  const entries = entriesOf(map)?.flatMap(([right, verdict]) =>
    isJson(verdict) ? [{ condition: comparison({ op: '==', left, right }), verdict }] : [],
  );
  return entries ?? null;
}

function comparison(match: Json): Condition {
  const { op, left, right } = match;
  if (op !== '==' && op !== 'in' && op !== '!=') return MAYBE;
  const own = isJson(left) ? passingCondition(left, right) : null;
  if (own !== null) {
    // What is in a named set is elsewhere.
    const isElsewhere = typeof right === 'string' && right.startsWith('@');
    const negated: Condition = (packet) => not(own(packet));
    return all([hasHeader(left), isElsewhere ? MAYBE : op === '!=' ? negated : own]);
  }
  const [four, six] = ([4, 6] as const).map((family) => matchCondition(readNftMatch(match, family), family));
  return (packet) => (packet.family === 4 ? four : six)?.(packet) ?? 'maybe';
}

/** What looks into a protocol's header demands that protocol, also where it is negated. */
function hasHeader(left: unknown): Condition {
  if (!isJson(left)) return MAYBE;
  const { concat, payload } = left;
  if (Array.isArray(concat)) return all(concat.map(hasHeader));
  return isJson(payload) ? headerCondition(payload['protocol']) : YES;
}

function headerCondition(header: unknown): Condition {
  switch (header) {
    case 'th':
      return YES;
    case 'ip':
      return ({ family }) => truthOf(family === 4);
    case 'ip6':
      return ({ family }) => truthOf(family === 6);
    // Below IP, or bytes that are named by their place alone.
    case 'ether':
    case 'vlan':
    case undefined:
      return MAYBE;
    default:
      return ({ protocol }) => truthOf(header === protocol);
  }
}

/** That a packet on its way through a router has one of these values; `null`: it is about what any packet has. */
function passingCondition({ meta, payload, ct, concat }: Json, right: unknown): Condition | null {
  const wanted = setOf(right);
  if (Array.isArray(concat)) return among(wanted, (one) => concatCondition(concat, one));
  if (isJson(meta)) return metaCondition(meta['key'], wanted);
  if (isJson(ct)) return connectionCondition(ct, right);
  if (isJson(payload) && payload['field'] === 'sport') return sourcePortCondition(right);
  return null;
}

function among(wanted: readonly unknown[], conditionOf: (one: unknown) => Condition): Condition {
  const conditions = wanted.map(conditionOf);
  return (packet) => some(conditions.map((condition) => condition(packet)));
}

function concatCondition(parts: readonly unknown[], wanted: unknown): Condition {
  const values = isJson(wanted) ? wanted['concat'] : undefined;
  if (!Array.isArray(values)) return MAYBE;
  return all(parts.map((left, at) => comparison({ op: '==', left, right: values[at] })));
}

function metaCondition(key: unknown, wanted: readonly unknown[]): Condition | null {
  switch (key) {
    case 'iif':
    case 'iifname':
      return among(wanted, (name) => (packet) => nameIs(packet.from, name));
    case 'oif':
    case 'oifname':
      return among(wanted, (name) => (packet) => nameIs(packet.to, name));
    case 'protocol':
      return ({ family }) => truthOf(wanted.includes(family === 4 ? 'ip' : 'ip6'));
    case 'mark':
      return among(wanted, (value) => {
        return typeof value === 'number' ? ({ mark }) => markIs(mark, value, 0xffff_ffff) : MAYBE;
      });
    default:
      return null;
  }
}

/** `*` at the end stands for any characters. */
function nameIs(name: string | null, pattern: unknown): Truth {
  if (name === null || typeof pattern !== 'string') return 'maybe';
  return truthOf(pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
}

function sourcePortCondition(right: unknown): Condition {
  const ports = portsOf(right);
  return ports === null ? MAYBE : ({ sourcePort }) => portWithin(sourcePort, ports);
}

/** SNAT: hatoba may have masqueraded it, where client and target are in one network. */
function connectionCondition({ key, dir }: Json, right: unknown): Condition | null {
  const wanted = setOf(right);
  switch (key) {
    case 'state':
      return among(wanted, (state) => ({ direction }) => {
        return truthOf(state === (direction === 'request' ? 'new' : 'established'));
      });
    case 'status':
      return among(wanted, (flag) => () => hasFlag(flag));
    case 'direction':
      return ({ direction }) => truthOf(wanted.includes(direction === 'request' ? 'original' : 'reply'));
    case 'protocol':
      return ({ protocol }) => truthOf(wanted.map(String).some((one) => isProtocol(one, protocol)));
    case 'daddr':
    case 'ip daddr':
    case 'ip6 daddr':
      return dir === 'original' ? askedCondition(right) : null;
    case 'proto-dst': {
      const ports = dir === 'original' ? portsOf(right) : null;
      return ports && (({ asked }) => portWithin(asked.port, ports));
    }
    default:
      return null;
  }
}

function isProtocol(text: string, protocol: keyof typeof PROTOCOL_NUMBERS): boolean {
  return text === protocol || text === String(PROTOCOL_NUMBERS[protocol]);
}

function askedCondition(right: unknown): Condition {
  const [four, six] = ([4, 6] as const).map((family) => addressesOf(right, family));
  return ({ asked: { address } }) => {
    const addresses = address.family === 4 ? four : six;
    if (addresses) return isAmong(exactly(addressValue(address)), addresses);
    return four || six ? 'no' : 'maybe';
  };
}

/** Flags that a connection may have besides. */
const POSSIBLE_FLAGS: readonly unknown[] = ['snat', 'assured', 'confirmed', 'seen-reply', 'expected', 'dying'];

function hasFlag(flag: unknown): Truth {
  if (flag === 'dnat') return 'yes';
  return POSSIBLE_FLAGS.includes(flag) ? 'maybe' : 'no';
}
