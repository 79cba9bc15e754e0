import { type Address, type Family, printEndpoint } from '../../../model/address.ts';
import { type Cidr, withoutNested } from '../../../model/cidr.ts';
import { type PortRange, portCount, samePorts } from '../../../model/port-range.ts';
import type { Rule } from '../../../program/rule.ts';

/** Our chains of the table nat: where flows are led, and where those are masqueraded that would not work otherwise. */
export const TRANSLATE = 'hatoba-prerouting';
export const MASQUERADE = 'hatoba-postrouting';
export const CHAINS = [TRANSLATE, MASQUERADE] as const;

/**
 * The chains of everybody from which ours are reached. In those where the first rule decides where a flow goes, ours has
 * to be the first; as to whom flows come from, others know better about their own, and may be before us.
 */
export const JUMPS = [
  { from: 'PREROUTING', to: TRANSLATE, first: true },
  { from: 'OUTPUT', to: TRANSLATE, first: true },
  { from: 'POSTROUTING', to: MASQUERADE, first: false },
] as const;

/** One rule of iptables: a `Rule` with one source at most. */
export type NatRule = Rule;

/** A rule of iptables for each source. */
export function natRulesOf(rules: Iterable<Rule>, family: Family): readonly NatRule[] {
  return [...rules].filter(({ external }) => external.family === family).flatMap(bySource);
}

export function bySource(rule: Rule): readonly NatRule[] {
  if (rule.sources.length === 0) return [rule];
  return withoutNested(rule.sources).map((source) => ({ ...rule, sources: [source] }));
}

/** Which packets it is about, as iptables-save prints it. No two rules of a program have the same. */
export function printMatch({ protocol, external, externalPorts: { first, last }, sources }: NatRule): string {
  const [source] = sources;
  const from = source === undefined || isEverything(source) ? '' : `-s ${source.text} `;
  const ports = first === last ? `${first}` : `${first}:${last}`;
  return `${from}-d ${external.text}/${widthOf(external)} -p ${protocol} -m ${protocol} --dport ${ports}`;
}

/** The whole of it, as iptables-save prints it. Printed from typed values: no text of a user gets here. */
export function printRule(rule: NatRule): string {
  return `${printMatch(rule)} -m comment --comment ${rule.forward} -j DNAT --to-destination ${printTarget(rule)}`;
}

/** A range that is shifted has its first outside port behind it, without which the kernel would choose one of the range. */
function printTarget({ internal: { text }, externalPorts, internalPorts }: NatRule): string {
  if (samePorts(externalPorts, internalPorts)) return text;
  const base = portCount(internalPorts) === 1 ? '' : `/${externalPorts.first}`;
  return printEndpoint(text, `${printRange(internalPorts)}${base}`);
}

function printRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** The kernel tracks connections, and so translates them, as long as some rule has to do with that; see `printMasquerade`. */
const KEEPER = '-m conntrack --ctstate DNAT -j RETURN';

/**
 * Between a network and itself, by way of an address outside that rules have: everybody else's answers come back through
 * the router, and what others translate is not ours to masquerade. The last rule does nothing, and keeps flows going that
 * outlive their forward: without it, they would end with the last rule that translates.
 */
export function printMasquerade(
  rules: readonly NatRule[],
  networks: readonly Cidr[],
  family: Family,
): readonly string[] {
  const outside = new Set(rules.map(({ external }) => external.text).sort());
  const inside = withoutNested(networks.filter((network) => network.family === family));
  const hairpins = [...outside].flatMap((address) =>
    inside.map(({ text }) => `-s ${text} -d ${text} -m conntrack --ctstate DNAT --ctorigdst ${address} -j MASQUERADE`),
  );
  return [...hairpins, KEEPER];
}

function widthOf({ family }: Address): number {
  return family === 4 ? 32 : 128;
}

/** iptables prints none of it. */
function isEverything({ text }: Cidr): boolean {
  return text.endsWith('/0');
}
