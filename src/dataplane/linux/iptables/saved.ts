import { type Address, type Family, parseAddress } from '../../../model/address.ts';
import { type Cidr, parseCidr } from '../../../model/cidr.ts';
import { HatobaError } from '../../../model/errors.ts';
import { isUuid } from '../../../model/ids.ts';
import { type PortRange, parsePortRange, samePorts } from '../../../model/port-range.ts';
import { isProtocol, type Protocol, protocolOfNumber } from '../../../model/protocol.ts';
import { type NatRule, printRule } from './rules.ts';

/** The table nat as `iptables-save --counters` prints it. */
export interface SavedTable {
  /** In order, by chain; a chain without rules has none. */
  readonly chains: ReadonlyMap<string, readonly SavedRule[]>;
}

export interface SavedRule {
  /** Without the chain, as it can be given back to iptables. */
  readonly text: string;
  /** In its chain, from 1. */
  readonly number: number;
  readonly packets: number;
}

export const NO_TABLE: SavedTable = { chains: new Map() };

const CHAIN = /^:(\S+) /;
const RULE = /^\[(\d+):\d+\] -A (\S+) (.*)$/;

export function readSaved(output: string): SavedTable {
  const chains = new Map<string, SavedRule[]>();
  for (const line of output.split('\n')) {
    const [, declared] = CHAIN.exec(line) ?? [];
    if (declared !== undefined) chains.set(declared, []);
    const [, packets, name = '', text = ''] = RULE.exec(line) ?? [];
    const chain = chains.get(name);
    chain?.push({ text, number: chain.length + 1, packets: Number(packets) });
  }
  return { chains };
}

/**
 * A rule as `printRule` has it, whatever the order in which this version of iptables prints it, and whether it knows the
 * protocol's name; `null`: one that we would never write.
 */
export function readRule(text: string, family: Family): NatRule | null {
  try {
    return readFields(fieldsOf(text), family);
  } catch (error) {
    if (error instanceof HatobaError) return null;
    throw error;
  }
}

const OURS: ReadonlySet<string> = new Set(['-s', '-d', '-p', '-m', '--dport', '--comment', '-j', '--to-destination']);

/** Options with one value each; none at all where there are others. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const words = text.split(' ');
  const fields = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    const [option = '', value = ''] = words.slice(at, at + 2);
    if (!OURS.has(option) || (fields.has(option) && option !== '-m')) return new Map();
    fields.set(option, value);
  }
  return fields;
}

function readFields(fields: ReadonlyMap<string, string>, family: Family): NatRule | null {
  const field = (name: string) => fields.get(name) ?? '';
  const [protocol, forward] = [readProtocol(field('-p')), field('--comment')];
  const external = readHost(field('-d'), family);
  const source = fields.has('-s') ? parseCidr(field('-s')) : null;
  if (field('-j') !== 'DNAT' || protocol === null || external === null || !isUuid(forward)) return null;
  if (source !== null && source.family !== family) return null;
  const externalPorts = parsePortRange(field('--dport').replace(':', '-'));
  const target = readTarget(field('--to-destination'), externalPorts);
  if (target === null || target.internal.family !== family) return null;
  const sources = source === null ? [] : [source];
  // Until when it is meant is nowhere in it.
  return { forward, protocol, external, externalPorts, ...target, sources, expiresAt: null };
}

function readProtocol(text: string): Protocol | null {
  return isProtocol(text) ? text : protocolOfNumber(Number(text));
}

function readHost(text: string, family: Family): Address | null {
  const network: Cidr = parseCidr(text);
  return network.family === family && network.first === network.last ? parseAddress(text.replace(/\/.*/, '')) : null;
}

/** `10.0.0.1`, `10.0.0.1:80`, `[fd00::1]:8000-8009/9000` */
const TARGET = /^(?:\[([\da-f:.]+)\]|([\d.]+)|([\da-f:.]+))(?::(\d+(?:-\d+)?)(?:\/(\d+))?)?$/;

function readTarget(text: string, outer: PortRange): Pick<NatRule, 'internal' | 'internalPorts'> | null {
  const [, bracketed, four, six, ports, base] = TARGET.exec(text) ?? [];
  const internal = parseAddress(bracketed ?? four ?? six ?? '');
  if (ports === undefined) return { internal, internalPorts: outer };
  const internalPorts = parsePortRange(ports);
  const shifted = internalPorts.first !== internalPorts.last;
  const fits = shifted ? base === `${outer.first}` && sameCount(internalPorts, outer) : base === undefined;
  return fits && !samePorts(internalPorts, outer) ? { internal, internalPorts } : null;
}

function sameCount(a: PortRange, b: PortRange): boolean {
  return a.last - a.first === b.last - b.first;
}

/** What the chain does, by what `printRule` prints; `strange`: rules that we would never write, or not twice. */
export function readRules(saved: readonly SavedRule[], family: Family) {
  const rules = new Map<string, SavedRule & { readonly rule: NatRule }>();
  const strange: SavedRule[] = [];
  for (const one of saved) {
    const rule = readRule(one.text, family);
    if (rule === null || rules.has(printRule(rule))) strange.push(one);
    else rules.set(printRule(rule), { ...one, rule });
  }
  return { rules, strange };
}
