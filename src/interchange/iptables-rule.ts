import type { Family } from '../model/address.ts';
import { addressSpace, type Intervals, intersect, subtract } from './intervals.ts';
import type { DumpRule } from './iptables-dump.ts';
import { type Option, optionsOf, printOption, splitOptions } from './iptables-options.ts';
import {
  ALL_PORTS,
  ALL_PROTOCOLS,
  addressRange,
  networkOf,
  type Protocols,
  portsOf,
  protocolsOf,
} from './iptables-values.ts';
import { conditionWithEffect, effectOfTarget, type PassingEffect } from './passing-rules.ts';

/** Which packets a rule is for, as far as addresses, ports and protocols tell; port 0 is no port. */
export interface Match {
  readonly protocols: Protocols;
  readonly sources: Intervals;
  readonly destinations: Intervals;
  readonly ports: Intervals;
  /** What it demands of the interface that packets come in by, where that is told by the outside ones. */
  readonly interfaces: readonly InterfaceCondition[];
  /** Conditions that narrow it further, as iptables prints them. */
  readonly unclear: readonly string[];
}

export interface InterfaceCondition {
  /** A name, or the beginning of names with `+` behind it. */
  readonly pattern: string;
  readonly isNegated: boolean;
}

export interface Target {
  /** Null: the rule only counts. */
  readonly name: string | null;
  /** Whether it is a chain of the same table, which can be called like a target (`LOG`), and then comes first. */
  readonly isChain: boolean;
  /** Without coming back to the chain. */
  readonly isGoto: boolean;
  readonly options: readonly Option[];
}

/** A rule of whatever program, understood. */
export interface Rule extends Omit<DumpRule, 'words'> {
  readonly match: Match;
  readonly target: Target;
  readonly comment: string | null;
  /** What it does to packets that go on to the next rule; null: nothing. */
  readonly passing: Passing | null;
}

export interface Passing {
  readonly effect: PassingEffect;
  /** The packets to which it does that. */
  readonly match: Match;
  /** What does it: `MARK`, `-m recent`. */
  readonly by: string;
}

export interface RuleContext {
  readonly family: Family;
  /** Beginnings of the names of interfaces by which all packets of interest come in; empty: by any. */
  readonly outside: readonly string[];
  /** Whether it is of a table `nat`, whose rules only the first packet of a flow meets. */
  readonly isNat?: boolean;
}

/** Targets that change where a packet goes. */
const TRANSLATING: readonly (string | null)[] = ['DNAT', 'REDIRECT', 'NETMAP'];

export function translates({ name, isChain }: Pick<Target, 'name' | 'isChain'>): boolean {
  return !isChain && TRANSLATING.includes(name);
}

/** Whether packets that meet it are not tracked, hence not translated, though they go on to the next rule. */
export function untracks({ name, isChain, options }: Target): boolean {
  if (isChain) return false;
  return name === 'NOTRACK' || (name === 'CT' && options.some((option) => option.name === '--notrack'));
}

export function anyPacket(family: Family): Match {
  const addresses = [addressSpace(family)];
  return {
    protocols: ALL_PROTOCOLS,
    sources: addresses,
    destinations: addresses,
    ports: [ALL_PORTS],
    interfaces: [],
    unclear: [],
  };
}

/** The packets for which both are. */
export function both(a: Match, b: Match): Match {
  return {
    protocols: a.protocols.intersection(b.protocols),
    sources: intersect(a.sources, b.sources),
    destinations: intersect(a.destinations, b.destinations),
    ports: intersect(a.ports, b.ports),
    interfaces: b.interfaces.length === 0 ? a.interfaces : [...a.interfaces, ...b.interfaces],
    unclear: b.unclear.length === 0 ? a.unclear : [...a.unclear, ...b.unclear],
  };
}

/** `isChain`: whether the table has a chain of that name. */
export function readRule(rule: DumpRule, context: RuleContext, isChain: (name: string) => boolean): Rule {
  const { conditions, jump, ofTarget, isAmbiguous } = splitOptions(optionsOf(rule.words), isChain);
  const read = readConditions(conditions, context);
  const match = isAmbiguous ? { ...read, unclear: [...read.unclear, 'several targets'] } : read;
  const name = jump?.values[0] ?? null;
  const target: Target = {
    name,
    isChain: name !== null && isChain(name),
    isGoto: jump?.name === '-g',
    options: ofTarget,
  };
  const comment = conditions.find((option) => option.name === '--comment')?.values[0] ?? null;
  return { ...rule, match, target, comment, passing: passingOf(target, match, conditions, context) };
}

function passingOf(target: Target, match: Match, conditions: readonly Option[], context: RuleContext): Passing | null {
  const condition = conditionWithEffect(conditions);
  if (condition !== null) {
    return { effect: 'changes', match: readConditions(condition.before, context), by: printOption(condition.option) };
  }
  const effect = target.isChain ? null : effectOfTarget(target.name);
  return effect && { effect, match, by: target.name ?? '' };
}

function readConditions(conditions: readonly Option[], context: RuleContext): Match {
  const matches = conditions.map((option, at) => conditionOf(option, conditions.slice(at + 1), context));
  return matches.reduce(both, anyPacket(context.family));
}

/** Matches that narrow nothing by themselves: what their options say is read. */
const BY_OPTIONS = ['comment', 'conntrack', 'iprange', 'multiport', 'state'];

/** Matches that every packet of their protocol meets when they have no options; `-m socket` is none of them. */
const MET_BY_ALL = ['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'icmp', 'icmp6', ...BY_OPTIONS];

function conditionOf(option: Option, behind: readonly Option[], context: RuleContext): Match {
  const any = anyPacket(context.family);
  const known = readCondition(option, any, context);
  if (known !== null && !isUnread(option, behind, context)) return known;
  return { ...any, unclear: [printOption(option)] };
}

/** Whether it names a match that is not known, and all its options are read as if they were of another. */
function isUnread({ name, values: [match = ''] }: Option, behind: readonly Option[], context: RuleContext): boolean {
  if (name !== '-m' || MET_BY_ALL.includes(match)) return false;
  const end = behind.findIndex((option) => option.name === '-m');
  const any = anyPacket(context.family);
  return behind.slice(0, end < 0 ? behind.length : end).every((option) => readCondition(option, any, context) !== null);
}

/** The longest name of an interface (linux/if.h, IFNAMSIZ, without the zero at its end). */
const LONGEST_NAME = 15;

/** Null: it cannot be told by addresses, ports and protocols, or iptables refuses it. */
export function readCondition(option: Option, any: Match, context: RuleContext): Match | null {
  const { name, values, isNegated, isBareMatch, isComplete } = option;
  const { family, isNat = false } = context;
  const [value = ''] = values;
  if (!isComplete) return null;
  const within = (all: Intervals, some: Intervals | null): Intervals | null => {
    // iptables makes a rule of each of several addresses, and of none that is not one of them.
    if (some === null || (isNegated && value.includes(',') && (name === '-s' || name === '-d'))) return null;
    return isNegated ? subtract(all, some) : intersect(all, some);
  };
  switch (name) {
    case '-m':
      return isNegated || (isBareMatch && !MET_BY_ALL.includes(value)) ? null : any;
    case '--comment':
    case '-c':
    case '-v':
    case '-4':
    case '-6':
      return any;
    case '-p': {
      const protocols = protocolsOf(value, isNegated);
      return protocols && { ...any, protocols };
    }
    case '-i':
      return readInterface({ pattern: value, isNegated }, any, context);
    case '-s': {
      const sources = within(any.sources, networkOf(value, family));
      return sources && { ...any, sources };
    }
    case '--src-range': {
      const sources = within(any.sources, addressRange(value, family));
      return sources && { ...any, sources };
    }
    case '-d': {
      const destinations = within(any.destinations, networkOf(value, family));
      return destinations && { ...any, destinations };
    }
    case '--dst-range': {
      const destinations = within(any.destinations, addressRange(value, family));
      return destinations && { ...any, destinations };
    }
    case '--dport':
    case '--dports': {
      const ports = within(any.ports, portsOf(value));
      return ports && { ...any, ports };
    }
    case '--state':
    case '--ctstate':
      // Of a flow that others do not expect, table nat has the first packet only, which is always new.
      return isNat && !isNegated && value.toUpperCase().split(',').includes('NEW') ? any : null;
    default:
      return null;
  }
}

function readInterface(condition: InterfaceCondition, any: Match, { outside }: RuleContext): Match | null {
  const { pattern, isNegated } = condition;
  if (pattern === '' || pattern.length > LONGEST_NAME) return null;
  const none = { ...any, ports: [], destinations: [], interfaces: [condition] };
  if (pattern === '+') return isNegated ? null : any;
  if (isAlias(pattern)) return isNegated ? any : none;
  if (outside.length === 0) return null;
  return comesIn(pattern, outside) === isNegated ? none : { ...any, interfaces: [condition] };
}

/** Whether it is what addresses are labelled with (`eth0:1`), which no interface can be called (Linux, dev_valid_name). */
export function isAlias(pattern: string): boolean {
  return pattern.includes(':');
}

/** Whether packets from outside come in by an interface of that name; `+` at its end stands for any characters. */
function comesIn(name: string, outside: readonly string[]): boolean {
  const beginning = name.endsWith('+') ? name.slice(0, -1) : null;
  return outside.some((out) => name.startsWith(out) || (beginning !== null && out.startsWith(beginning)));
}

/** Whether packets by this interface meet the condition. */
export function matchesInterface({ pattern, isNegated }: InterfaceCondition, name: string): boolean {
  const isMet = pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  return isMet !== isNegated;
}
