import { type Family, parseAnyAddress } from '../model/address.ts';
import { isProtocol, PROTOCOL_NUMBERS, type Protocol } from '../model/protocol.ts';
import { addressSpace, type Interval, type Intervals, intersect, subtract } from './intervals.ts';
import type { DumpRule, Word } from './iptables-dump.ts';

/** Which packets a rule is for, as far as addresses, ports and protocols tell; port 0 is no port. */
export interface Match {
  /** `other`: one or more without ports. */
  readonly protocols: ReadonlySet<Protocol | 'other'>;
  readonly sources: Intervals;
  readonly destinations: Intervals;
  readonly ports: Intervals;
  /** Conditions that narrow it further, as iptables prints them. */
  readonly unclear: readonly string[];
}

export interface Target {
  /** Null: the rule only counts. */
  readonly name: string | null;
  /** Without coming back to the chain. */
  readonly isGoto: boolean;
  readonly options: readonly Option[];
}

/** `--name value value`, perhaps negated. */
export interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly isNegated: boolean;
  /** Whether it names a match, and no option of that match comes behind it. */
  readonly isBareMatch: boolean;
}

/** A rule of whatever program, understood. */
export interface Rule extends Omit<DumpRule, 'words'> {
  readonly match: Match;
  readonly target: Target;
  readonly comment: string | null;
}

export interface RuleContext {
  readonly family: Family;
  /** Beginnings of the names of interfaces by which all packets of interest come in; empty: by any. */
  readonly outside: readonly string[];
}

/** Whether packets that meet it are not tracked, hence not translated, though they go on to the next rule. */
export function untracks({ name, options }: Target): boolean {
  return name === 'NOTRACK' || (name === 'CT' && options.some((option) => option.name === '--notrack'));
}

export const ALL_PORTS: Interval = Object.freeze({ first: 1n, last: 65_535n });
const ALL_PROTOCOLS: ReadonlySet<Protocol | 'other'> = new Set([
  ...Object.keys(PROTOCOL_NUMBERS).filter(isProtocol),
  'other' as const,
]);

export function anyPacket(family: Family): Match {
  const addresses = [addressSpace(family)];
  return { protocols: ALL_PROTOCOLS, sources: addresses, destinations: addresses, ports: [ALL_PORTS], unclear: [] };
}

/** The packets for which both are. */
export function both(a: Match, b: Match): Match {
  return {
    protocols: a.protocols.intersection(b.protocols),
    sources: intersect(a.sources, b.sources),
    destinations: intersect(a.destinations, b.destinations),
    ports: intersect(a.ports, b.ports),
    unclear: b.unclear.length === 0 ? a.unclear : [...a.unclear, ...b.unclear],
  };
}

/** The rule's target alone. */
export function targetOf(rule: DumpRule): string | null {
  const options = optionsOf(rule.words);
  return options[jumpIn(options)]?.values[0] ?? null;
}

export function readRule(rule: DumpRule, context: RuleContext): Rule {
  const options = optionsOf(rule.words);
  const jump = jumpIn(options);
  const conditions = jump < 0 ? options : options.slice(0, jump);
  const match = conditions.map((option) => conditionOf(option, context)).reduce(both, anyPacket(context.family));
  const { name, values: [target = null] = [] } = options[jump] ?? { name: '' };
  const isGoto = name === '-g' || name === '--goto';
  const comments = conditions.filter((option) => option.name === '--comment').map(({ values }) => values[0] ?? '');
  return {
    ...rule,
    match,
    target: { name: target, isGoto, options: jump < 0 ? [] : options.slice(jump + 1) },
    comment: comments[0] ?? null,
  };
}

/** Where the target begins; -1: there is none. */
export function jumpIn(options: readonly Option[]): number {
  return options.findIndex(({ name }) => ['-j', '--jump', '-g', '--goto'].includes(name));
}

/** Options whose one value may begin with a hyphen. */
const FREE_TEXT = ['--comment'];

/**
 * In order. An option has the words that follow it, up to the next option or exclamation mark; one between an option and
 * its value, as iptables before 1.4.3 printed it, means the same as before the option.
 */
export function optionsOf(words: readonly Word[]): readonly Option[] {
  const options: { name: string; values: string[]; isNegated: boolean }[] = [];
  let isNegated = false;
  for (const { text, isQuoted } of words) {
    const last = options.at(-1);
    const isValue = last !== undefined && FREE_TEXT.includes(last.name) && last.values.length === 0;
    if (isValue) last.values.push(text);
    else if (text === '!' && !isQuoted) isNegated = true;
    else if (text.startsWith('-') && !isQuoted) {
      options.push({ name: text, values: [], isNegated });
      isNegated = false;
    } else if (last !== undefined) {
      last.values.push(text);
      last.isNegated ||= isNegated;
      isNegated = false;
    }
  }
  return options.map((option, at) => ({ ...option, isBareMatch: isMatch(option.name) && !isLong(options[at + 1]) }));
}

function isMatch(name: string): boolean {
  return name === '-m' || name === '--match';
}

/** Options of matches are; those of the rule itself are printed as single letters. */
function isLong(option: Pick<Option, 'name'> | undefined): boolean {
  return option?.name.startsWith('--') === true;
}

/** Matches that every packet of their protocol meets when they have no options; `-m socket` is none of them. */
const MET_BY_ALL = ['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'icmp', 'icmp6'];

function conditionOf(option: Option, context: RuleContext): Match {
  const any = anyPacket(context.family);
  return readCondition(option, any, context) ?? { ...any, unclear: [printOption(option)] };
}

/** Null: it cannot be told by addresses, ports and protocols. */
export function readCondition(
  { name, values, isNegated, isBareMatch }: Option,
  any: Match,
  { family, outside }: RuleContext,
): Match | null {
  const [value = ''] = values;
  const within = (all: Intervals, some: Intervals | null): Intervals | null => {
    return some === null ? null : isNegated ? subtract(all, some) : intersect(all, some);
  };
  switch (name) {
    case '-m':
    case '--match':
      return isBareMatch && !MET_BY_ALL.includes(value) ? null : any;
    case '--comment':
    case '-c':
      return any;
    case '-p':
    case '--protocol': {
      const protocols = protocolsOf(value, isNegated);
      return { ...any, protocols };
    }
    case '-i':
    case '--in-interface':
      return outside.length === 0
        ? null
        : comesIn(value, outside) === isNegated
          ? { ...any, ports: [], destinations: [] }
          : any;
    case '-s':
    case '--source': {
      const sources = within(any.sources, networkOf(value, family));
      return sources && { ...any, sources };
    }
    case '--src-range': {
      const sources = within(any.sources, addressRange(value, family));
      return sources && { ...any, sources };
    }
    case '-d':
    case '--destination': {
      const destinations = within(any.destinations, networkOf(value, family));
      return destinations && { ...any, destinations };
    }
    case '--dst-range': {
      const destinations = within(any.destinations, addressRange(value, family));
      return destinations && { ...any, destinations };
    }
    case '--dport':
    case '--dports':
    case '--destination-port':
    case '--destination-ports': {
      const ports = within(any.ports, portsOf(value));
      return ports && { ...any, ports };
    }
    default:
      return null;
  }
}

/** Those that a name or number stands for, or all others. */
export function protocolsOf(text: string, isNegated: boolean): Match['protocols'] {
  if (text === 'all' || text === '0') return isNegated ? new Set() : ALL_PROTOCOLS;
  const [known] =
    Object.entries(PROTOCOL_NUMBERS).find(([name, number]) => name === text || String(number) === text) ?? [];
  if (known !== undefined && isProtocol(known)) {
    return isNegated ? ALL_PROTOCOLS.difference(new Set([known])) : new Set([known]);
  }
  // All protocols but one without ports are still more than those with ports.
  return isNegated ? ALL_PROTOCOLS : new Set(['other' as const]);
}

/** Whether packets from outside come in by an interface of that name; `+` at its end stands for any characters. */
function comesIn(name: string, outside: readonly string[]): boolean {
  const beginning = name.endsWith('+') ? name.slice(0, -1) : null;
  return outside.some((out) => name.startsWith(out) || (beginning !== null && out.startsWith(beginning)));
}

/** `address`, `address/length` or `address/mask`; null: neither, or a mask with holes. */
export function networkOf(text: string, family: Family): Intervals | null {
  const [address = '', mask] = text.split('/');
  const value = addressOrNull(address, family);
  const space = addressSpace(family);
  const width = family === 4 ? 32 : 128;
  const length =
    mask === undefined ? width : /^\d{1,3}$/.test(mask) ? Number(mask) : lengthOf(addressOrNull(mask, family), width);
  if (value === null || length === null || length > width) return null;
  const size = 1n << BigInt(width - length);
  const first = value - (value % size);
  return intersect([{ first, last: first + size - 1n }], [space]);
}

function lengthOf(mask: bigint | null, width: number): number | null {
  if (mask === null) return null;
  const zeros = Array.from({ length: width + 1 }, (_, bits) => bits).find((bits) => {
    return mask === (1n << BigInt(width)) - (1n << BigInt(bits));
  });
  return zeros === undefined ? null : width - zeros;
}

function addressRange(text: string, family: Family): Intervals | null {
  const [from, to] = text.split('-').map((address) => addressOrNull(address, family));
  return from === undefined || from === null || to === undefined || to === null || to < from
    ? null
    : [{ first: from, last: to }];
}

export function addressOrNull(text: string, family: Family): bigint | null {
  try {
    const address = parseAnyAddress(text);
    return address.family === family ? address.value : null;
  } catch {
    return null;
  }
}

/** `80`, `80:90`, `80,443,1000:2000`. */
export function portsOf(text: string): Intervals | null {
  const parts = text.split(',').map((part) => {
    const [, first, , last] = /^(\d{1,5})(:(\d{1,5}))?$/.exec(part) ?? [];
    return first === undefined ? null : { first: BigInt(first), last: BigInt(last ?? first) };
  });
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length) return null;
  // Lists may overlap and come in any order.
  return known.reduce<Intervals>((all, part) => [...subtract(all, [part]), part], []);
}

export function printOption({ name, values, isNegated }: Option): string {
  return [...(isNegated ? ['!'] : []), name, ...values].join(' ');
}
