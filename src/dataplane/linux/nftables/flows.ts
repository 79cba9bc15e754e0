import { isIP } from 'node:net';
import type { FlowRule } from '../../../kernel/conntrack/stale-flows.ts';
import type { SetElement } from '../../../kernel/nft/nft-batch.ts';
import { type Address, addressValue } from '../../../model/address.ts';
import type { PortRange } from '../../../model/port-range.ts';
import { SETS } from './layout.ts';

/**
 * What the elements say about flows; those that only count say nothing, nor does what is in a map that a stranger has
 * given the name of ours, with keys and targets of other types.
 */
export function flowRules(elements: readonly SetElement[]): readonly FlowRule[] {
  return elements.flatMap((element) => (TRANSLATING.has(element.set) ? (flowRule(element) ?? []) : []));
}

/** The names of maps that lead flows somewhere. */
export const TRANSLATING: ReadonlySet<string> = new Set(
  [SETS[4], SETS[6]].flatMap(({ exact, guarded, span, shift }) =>
    [exact, guarded, span, shift].map(({ name }) => name),
  ),
);

/** `null`: it has another form than elements of ours. */
export function flowRule({ key, value }: Pick<SetElement, 'key' | 'value'>): FlowRule | null {
  const [first = '', last] = key.split('-');
  const from = placeOf(first);
  const to = last === undefined ? from : placeOf(last);
  const [targetText = '', targetPorts] = value.split(' . ');
  const target = addressFrom(targetText);
  if (from === null || to === null || target === null) return null;
  const { protocol, destination } = from;
  const ports = { first: from.port, last: to.port };
  return {
    protocol,
    destination,
    ports,
    source:
      from.source === null || to.source === null
        ? null
        : { family: destination.family, first: addressValue(from.source), last: addressValue(to.source) },
    target,
    targetPorts: targetPorts === undefined ? ports : portsOf(targetPorts),
  };
}

/** `destination . protocol . port`, or `port . destination . protocol . source`; `null`: something else. */
function placeOf(text: string) {
  const parts = text.split(' . ');
  const [port, destinationText = '', protocol, sourceText] =
    parts.length === 4 ? parts : [parts[2], parts[0], parts[1]];
  const destination = addressFrom(destinationText);
  const source = sourceText === undefined ? null : addressFrom(sourceText);
  const isStrange = destination === null || (sourceText !== undefined && source === null);
  return isStrange ? null : { port: Number(port), protocol: Number(protocol), destination, source };
}

/** `22`, or `2000-2015`. */
function portsOf(text: string): PortRange {
  const [first, last = first] = text.split('-').map(Number);
  return { first: first ?? 0, last: last ?? 0 };
}

/** Texts are as the kernel has them: canonical already; `null`: it is no address. */
function addressFrom(text: string): Address | null {
  const family = isIP(text);
  return family === 4 || family === 6 ? { family, text } : null;
}
