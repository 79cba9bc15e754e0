import type { FlowRule } from '../../../kernel/conntrack/stale-flows.ts';
import type { Element, TableState } from '../../../kernel/nft/nft-table.ts';
import type { Address } from '../../../model/address.ts';
import { type AddressSpan, type Cidr, networkOf } from '../../../model/cidr.ts';
import { type ForwardId, isUuid } from '../../../model/ids.ts';
import { type PortRange, portCount } from '../../../model/port-range.ts';
import { protocolOfNumber } from '../../../model/protocol.ts';
import { printTime } from '../../../model/time.ts';
import type { Rule } from '../../../program/rule.ts';
import { GRACE } from './elements.ts';
import { flowRule, TRANSLATING } from './flows.ts';

/** What the elements of one forward say. */
interface Part extends FlowRule {
  readonly expires: number | undefined;
}

/**
 * Reads the rules of these forwards back from the elements of our table: the inverse of `elementsOf`. What has no forward's id for
 * its comment is left out, and so are elements that do not make one rule together: another process has changed them.
 */
export function readStoredRules({ elements }: TableState, isMeant: (forward: ForwardId) => boolean): readonly Rule[] {
  const parts = new Map<ForwardId, Part[]>();
  for (const [set, those] of elements) {
    if (!TRANSLATING.has(set)) continue;
    for (const element of those) {
      const { comment } = element;
      if (!isUuid(comment) || !isMeant(comment)) continue;
      const part = readPart(element);
      if (part !== null) parts.set(comment, [...(parts.get(comment) ?? []), part]);
    }
  }
  return [...parts].flatMap(([forward, those]) => readRule(forward, those) ?? []);
}

function readPart(element: Element): Part | null {
  const rule = flowRule(element);
  if (rule === null) return null;
  const { source } = rule;
  return { ...rule, source: source !== null && isEveryone(source) ? null : source, expires: element.expires };
}

function isEveryone({ family, first, last }: AddressSpan): boolean {
  const everyone = networkOf(family, 0n, 0);
  return first === everyone.first && last === everyone.last;
}

function readRule(forward: ForwardId, parts: readonly Part[]): Rule | null {
  const [first] = parts;
  if (first === undefined || !parts.every((part) => isAboutTheSame(part, first))) return null;
  const protocol = protocolOfNumber(first.protocol);
  const bySource = [...Map.groupBy(parts, ({ source }) => (source === null ? '' : `${source.first}-${source.last}`))];
  const blocks = bySource.map(([, those]) => joinBlocks(those));
  const [ports] = blocks;
  const sources = readSources(bySource.map(([, [part]]) => part?.source ?? null));
  if (protocol === null || ports === undefined || ports === null || sources === null) return null;
  if (blocks.some((one) => JSON.stringify(one) !== JSON.stringify(ports))) return null;
  return Object.freeze({
    forward,
    protocol,
    external: first.destination,
    externalPorts: ports.outer,
    internal: first.target,
    internalPorts: ports.inner,
    sources,
    expiresAt: readEnd(parts),
  });
}

function isAboutTheSame(a: Part, b: Part): boolean {
  return a.protocol === b.protocol && sameAddress(a.destination, b.destination) && sameAddress(a.target, b.target);
}

function sameAddress(a: Address, b: Address): boolean {
  return a.text === b.text;
}

interface Ports {
  readonly outer: PortRange;
  readonly inner: PortRange;
}

/** The blocks of one source as one range, that leads to one port or to as many; `null`: they have gaps, or lead elsewhere. */
function joinBlocks(parts: readonly Part[]): Ports | null {
  const blocks = parts.toSorted((a, b) => a.ports.first - b.ports.first);
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (blocks.some(({ ports }, at) => at > 0 && ports.first !== (blocks[at - 1]?.ports.last ?? 0) + 1)) return null;
  const outer = { first: first.ports.first, last: last.ports.last };
  const inner = { first: first.targetPorts.first, last: last.targetPorts.last };
  const isShifted = blocks.every(({ ports, targetPorts }) => {
    const isSameSize = portCount(targetPorts) === portCount(ports);
    return isSameSize && targetPorts.first - ports.first === inner.first - outer.first;
  });
  const isToOne = blocks.every(
    (block) => portCount(block.targetPorts) === 1 && block.targetPorts.first === inner.first,
  );
  return isShifted || isToOne ? { outer, inner } : null;
}

/** Empty: anyone; `null`: they are no networks. */
function readSources(spans: readonly (AddressSpan | null)[]): readonly Cidr[] | null {
  const networks = spans.flatMap((span) => (span === null ? [] : [networkOfSpan(span)]));
  if (networks.length < spans.length) return [];
  const cidrs = networks.filter((network) => network !== null);
  if (cidrs.length < networks.length) return null;
  return cidrs.sort((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first)));
}

function networkOfSpan({ family, first, last }: AddressSpan): Cidr | null {
  const bits = (last - first).toString(2).replace(/^0$/, '').length;
  const network = networkOf(family, first, (family === 4 ? 32 : 128) - bits);
  return network.first === first && network.last === last ? network : null;
}

/** To the second: the kernel counts down, and reading takes time. */
function readEnd(parts: readonly Part[]): string | null {
  const ends = parts.flatMap(({ expires }) => expires ?? []);
  return ends.length === 0 ? null : printTime(Math.round((Math.min(...ends) - GRACE) / 1000) * 1000);
}
