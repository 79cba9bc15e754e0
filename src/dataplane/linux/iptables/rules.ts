import { isSince } from '../../../kernel/release.ts';
import { type Address, type Family, printEndpoint } from '../../../model/address.ts';
import { type Cidr, withoutNested } from '../../../model/cidr.ts';
import { type PortRange, portCount, samePorts } from '../../../model/port-range.ts';
import type { Rule } from '../../../program/rule.ts';
import type { InsideInterface } from '../inside-interfaces.ts';

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

/** The inverse of `bySource`. Rules of one forward that differ in more than their sources are left out: another process has changed them. */
export function joinSources(rules: readonly NatRule[]): readonly Rule[] {
  return [...Map.groupBy(rules, ({ forward }) => forward).values()].flatMap((those) => {
    const [first] = those;
    const alike = new Set(those.map((rule) => printRule({ ...rule, sources: [] })));
    if (first === undefined || alike.size > 1) return [];
    const isForAnyone = those.some(({ sources }) => sources.length === 0);
    return [{ ...first, sources: isForAnyone ? [] : those.flatMap(({ sources }) => sources).sort(byAddress) }];
  });
}

function byAddress(a: Cidr, b: Cidr): number {
  return a.first < b.first ? -1 : Number(a.first > b.first);
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
 * What leaves by the inside interface it came in by, and was sent to an outside address of rules: what others translate is
 * not ours to masquerade. Since Linux 5.5 the hook knows the interface a packet came in by; iptables takes `-i` in chains of
 * users only. Older kernels are told the networks of that interface instead, and so are all about bridges: their packets
 * may go from port to port (`br_netfilter`), which came in by no interface that the hook knows. The last rule does nothing,
 * and keeps flows going that outlive their forward: without it, they would end with the last rule that translates.
 * `kernelRelease`: as `uname -r` prints it.
 */
export function printMasquerade(
  rules: readonly NatRule[],
  inside: readonly InsideInterface[],
  family: Family,
  kernelRelease: string,
): readonly string[] {
  const outside = new Set(rules.map(({ external }) => external.text).sort());
  const matches = inside
    .filter(({ name }) => PLAIN_NAME.test(name))
    .flatMap((one) => [`-i ${one.name} -o ${one.name}`, ...networkMatches(one, family, kernelRelease)]);
  const hairpins = [...outside].flatMap((address) =>
    matches.map((match) => `${match} -m conntrack --ctstate DNAT --ctorigdst ${address} -j MASQUERADE`),
  );
  return [...hairpins, KEEPER];
}

/** iptables takes `+` at the end for any characters, and other characters for quotes. */
const PLAIN_NAME = /^[\w.@-]+$/;

/** 28f8bfd1ac94, "netfilter: Support iif matches in POSTROUTING". */
const KNOWS_WHERE_FROM = { major: 5, minor: 5 };

function networkMatches(
  { name, isBridge, networks }: InsideInterface,
  family: Family,
  kernelRelease: string,
): readonly string[] {
  if (!isBridge && isSince(kernelRelease, KNOWS_WHERE_FROM)) return [];
  const ofFamily = networks.filter((network) => network.family === family);
  return withoutNested(ofFamily).map(({ text }) => `-s ${text} -d ${text} -o ${name}`);
}

function widthOf({ family }: Address): number {
  return family === 4 ? 32 : 128;
}

/** iptables prints none of it. */
function isEverything({ text }: Cidr): boolean {
  return text.endsWith('/0');
}
