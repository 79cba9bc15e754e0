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
import { maskBits } from './bits.ts';
import { matchCondition, portWithin } from './match-condition.ts';
import { bitsExpression, constantBits, isAboutBits } from './nft-bits.ts';
import {
  all,
  bitsAre,
  type Condition,
  exactly,
  isAmong,
  not,
  type PassingPacket,
  some,
  type Truth,
  truthOf,
} from './passing-packet.ts';

const [YES, MAYBE]: readonly [Condition, Condition] = [() => 'yes', () => 'maybe'];

export interface MappedVerdict {
  readonly condition: Condition;
  readonly verdict: Json;
}

/** The verdicts of a map that is written out in its rule; `null`: it is elsewhere. */
export function verdictMap(map: unknown): readonly MappedVerdict[] | null {
  const left = isJson(map) ? map['key'] : undefined;
  const entries = entriesOf(map)?.flatMap(([right, verdict]) =>
    isJson(verdict) ? [{ condition: nftComparison({ op: '==', left, right }), verdict }] : [],
  );
  return entries ?? null;
}

/** What a statement `match` of a rule demands of a packet. */
export function nftComparison(match: Json): Condition {
  const { op, left, right } = match;
  if (op !== '==' && op !== 'in' && op !== '!=' && op !== '!') return MAYBE;
  // What is in a named set is elsewhere.
  if (typeof right === 'string' && right.startsWith('@')) return all([hasHeader(left), MAYBE]);
  if (isAboutBits(left)) return bitsCondition(op, left, right);
  if (isJson(left) && isJson(left['ct'])) return connectionCondition(op, left['ct'], right);
  const own = isJson(left) ? passingCondition(left, right) : null;
  if (own !== null) {
    const negated: Condition = (packet) => not(own(packet));
    return all([hasHeader(left), op === '!=' ? negated : op === '!' ? MAYBE : own]);
  }
  const [four, six] = ([4, 6] as const).map((family) => matchCondition(readNftMatch(match, family), family));
  return (packet) => (packet.family === 4 ? four : six)?.(packet) ?? 'maybe';
}

/** Marks and flags: of several values one, `in`: some bit of the value, `!`: none of its bits. */
function bitsCondition(op: string, left: unknown, right: unknown): Condition {
  const bits = bitsExpression(left);
  const isSet = isJson(right) && Array.isArray(right['set']);
  const wanted = (isSet ? setOf(right) : [right]).map(constantBits);
  return (packet) => {
    const found = bits?.(packet) ?? null;
    if (found === null) return 'no';
    const truths = wanted.map((value): Truth => {
      if (value === null) return 'maybe';
      if ((op === 'in' && !isSet) || op === '!') return not(bitsAre(maskBits(found, value), 0));
      return bitsAre(found, value);
    });
    return op === '!=' || op === '!' ? not(some(truths)) : some(truths);
  };
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
function passingCondition({ meta, payload, concat }: Json, right: unknown): Condition | null {
  const wanted = setOf(right);
  if (Array.isArray(concat)) return among(wanted, (one) => concatCondition(concat, one));
  if (isJson(meta)) return metaCondition(meta['key'], wanted);
  if (!isJson(payload)) return null;
  const { protocol, field } = payload;
  if (field === 'sport') return sourcePortCondition(right);
  // Not what a rule for VLANs looks at.
  return protocol === 'ether' && field === 'type' ? (packet) => isEtherType(packet, wanted) : null;
}

function among(wanted: readonly unknown[], conditionOf: (one: unknown) => Condition): Condition {
  const conditions = wanted.map(conditionOf);
  return (packet) => some(conditions.map((condition) => condition(packet)));
}

function concatCondition(parts: readonly unknown[], wanted: unknown): Condition {
  const values = isJson(wanted) ? wanted['concat'] : undefined;
  if (!Array.isArray(values)) return MAYBE;
  return all(parts.map((left, at) => nftComparison({ op: '==', left, right: values[at] })));
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
      return (packet) => isEtherType(packet, wanted);
    default:
      return null;
  }
}

function isEtherType({ family }: PassingPacket, wanted: readonly unknown[]): Truth {
  if (wanted.some((value) => typeof value !== 'string')) return 'maybe';
  return truthOf(wanted.includes(family === 4 ? 'ip' : 'ip6'));
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

/** nft_ct_get_eval of net/netfilter/nft_ct.c: a packet without a connection is invalid, and else meets nothing. */
function connectionCondition(op: string, ct: Json, right: unknown): Condition {
  if (ct['key'] === 'state') return stateCondition(op, right);
  const known = knownConnectionCondition(op, ct, right);
  const condition: Condition = known === null ? MAYBE : op === '!=' ? (packet) => not(known(packet)) : known;
  return (packet) => (packet.connection === null ? 'no' : condition(packet));
}

/** Several states in a row are one value, the sum of their bits, which no packet has. */
function stateCondition(op: string, right: unknown): Condition {
  const isSum = Array.isArray(right) && right.length > 1 && (op === '==' || op === '!=');
  const states = isSum ? [] : setOf(right);
  const isIn: Condition = ({ connection }) => truthOf(states.includes(connection?.state ?? 'invalid'));
  return op === '!=' || op === '!' ? (packet) => not(isIn(packet)) : isIn;
}

function knownConnectionCondition(op: string, { key, dir }: Json, right: unknown): Condition | null {
  switch (key) {
    case 'status':
      // As a whole, a status has more bits than can be told.
      return op === 'in' && !isJson(right) ? among(setOf(right), statusCondition) : null;
    case 'direction':
      return ({ direction }) => {
        return truthOf(setOf(right).includes(direction === 'request' ? 'original' : 'reply'));
      };
    case 'protocol':
      return ({ protocol }) => truthOf(setOf(right).some((one) => isProtocol(String(one), protocol)));
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
const POSSIBLE_FLAGS: readonly unknown[] = ['assured', 'confirmed', 'seen-reply', 'expected', 'dying'];

function statusCondition(flag: unknown): Condition {
  if (flag === 'dnat') return ({ connection }) => connection?.dnat ?? 'no';
  if (flag === 'snat') return ({ connection }) => connection?.snat ?? 'no';
  return () => (POSSIBLE_FLAGS.includes(flag) ? 'maybe' : 'no');
}
