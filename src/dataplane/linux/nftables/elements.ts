import type { SetElement } from '../../../kernel/nft/nft-batch.ts';
import { type Address, addressOf, type Family } from '../../../model/address.ts';
import { type Cidr, withoutNested } from '../../../model/cidr.ts';
import {
  alignedBlocks,
  innerPort,
  type PortRange,
  portCount,
  printPortRange,
  samePorts,
} from '../../../model/port-range.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import type { InsideInterface } from '../inside-interfaces.ts';
import { HAIRPIN, type NftSet, SETS } from './layout.ts';

/** From one address to another, or from one port to another; both included. */
type Span = readonly [first: string, last: string];

const ANYONE: Readonly<Record<Family, Span>> = {
  4: ['0.0.0.0', '255.255.255.255'],
  6: ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
};

/** `ct direction` (linux/netfilter/nf_conntrack_tuple_common.h). */
const DIRECTIONS = [0, 1];

/**
 * The elements that do what the rule says, until its end, also where no daemon runs then. Protocols and directions are numbers: names of protocols would be looked up
 * in the machine's /etc/protocols. The comment is the forward's id, for whoever reads `nft list table`.
 * A range is one element for each source; one that is shifted, one for each source and block of ports.
 */
export function elementsOf(rule: Rule, { accounting }: { readonly accounting: boolean }): readonly SetElement[] {
  const end = endOf(rule);
  const leading = translations(rule);
  return [
    ...(end === null ? leading : leading.map((one) => ({ ...one, expires: end }))),
    ...(accounting ? counters(rule) : []),
  ];
}

/** The daemon comes first, where there is one: what it has taken away itself is known to be gone. */
export const GRACE = 500;

/** Linux counts the time that is left in nanoseconds of 64 bits, which are 584 years (nf_tables_api.c, nf_msecs_to_jiffies64). */
const LATEST = Date.UTC(2500, 0);

/** When the kernel is to take the rule away by itself, in ms since 1970; null: never. */
function endOf({ expiresAt }: Rule): number | null {
  const end = expiresAt === null ? LATEST : Date.parse(expiresAt);
  return end < LATEST ? end + GRACE : null;
}

function translations(rule: Rule): readonly SetElement[] {
  const { external, externalPorts, internal, internalPorts, forward } = rule;
  const { span } = SETS[external.family];
  if (portCount(internalPorts) === 1) return toPorts(rule, externalPorts, internalPorts);
  if (samePorts(externalPorts, internalPorts)) {
    return keysOf(rule, externalPorts).map((key) => element(span, key, forward, internal.text));
  }
  return alignedBlocks(externalPorts).flatMap((block) => {
    const inner = (port: number) => innerPort(externalPorts, internalPorts, port);
    return toPorts(rule, block, { first: inner(block.first), last: inner(block.last) });
  });
}

/** Of the rule: from one port to one, from several to one, or from a block to as many. */
function toPorts(rule: Rule, outer: PortRange, inner: PortRange): readonly SetElement[] {
  const { external, internal, sources, forward } = rule;
  const { exact, guarded, shift } = SETS[external.family];
  const value = `${internal.text} . ${printPortRange(inner)}`;
  if (sources.length === 0 && portCount(outer) === 1) {
    return [element(exact, `${placeOf(rule)} . ${outer.first}`, forward, value)];
  }
  const set = portCount(inner) === 1 ? guarded : shift;
  return keysOf(rule, outer).map((key) => element(set, key, forward, value));
}

function counters(rule: Rule): readonly SetElement[] {
  const { external, externalPorts, sources, forward } = rule;
  const { flows, wideFlows } = SETS[external.family];
  if (sources.length === 0 && portCount(externalPorts) === 1) {
    const key = `${placeOf(rule)} . ${externalPorts.first}`;
    return DIRECTIONS.map((direction) => element(flows, `${direction} . ${key}`, forward));
  }
  return DIRECTIONS.flatMap((direction) =>
    keysOf(rule, externalPorts, direction).map((key) => element(wideFlows, key, forward)),
  );
}

/** Flows that leave by the inside interface they came in by are masqueraded: their answers would go past the router. */
export function hairpinElements(inside: readonly InsideInterface[]): readonly SetElement[] {
  return inside.map(({ name }) => element(HAIRPIN, `${name} . ${name}`, ''));
}

/** By which addresses a flow is known to be ours. */
export function outsideElements(addresses: Iterable<Address>): readonly SetElement[] {
  return Array.from(addresses, ({ family, text }) => element(SETS[family].outside, text, ''));
}

function element(set: NftSet, key: string, comment: string, value = ''): SetElement {
  return { set: set.name, key, value, comment };
}

/** Address and protocol. */
function placeOf({ external, protocol }: Rule): string {
  return `${external.text} . ${PROTOCOL_NUMBERS[protocol]}`;
}

/** One interval for each source; `direction`: of what counts. */
function keysOf(rule: Rule, ports: PortRange, ...direction: readonly number[]): readonly string[] {
  const { sources, external } = rule;
  const spans = sources.length === 0 ? [ANYONE[external.family]] : withoutNested(sources).map(spanOf);
  return spans.map(([from, to]) => {
    const first = [ports.first, ...direction, placeOf(rule), from].join(' . ');
    const last = [ports.last, ...direction, placeOf(rule), to].join(' . ');
    return `${first}-${last}`;
  });
}

function spanOf({ family, first, last }: Cidr): Span {
  return [addressOf(family, first).text, addressOf(family, last).text];
}
