import type { ElementCounter } from '../../../kernel/nft/nft-counters.ts';
import { addCounters, type Counters, NO_TRAFFIC } from '../../../model/counters.ts';
import type { ForwardId } from '../../../model/ids.ts';
import { SETS } from './layout.ts';

/** What the elements' counters say of forwards. `accounting`: whether there are elements that count flows. */
export function sumCounters(
  elements: readonly ElementCounter[],
  { accounting }: { readonly accounting: boolean },
): ReadonlyMap<ForwardId, Counters> {
  const sums = new Map<ForwardId, Counters>();
  for (const element of elements) {
    const counted = accounting ? countersOf(element) : { ...countersOf(element), in: null, out: null };
    const before = sums.get(element.comment);
    sums.set(element.comment, before === undefined ? counted : addCounters(before, counted));
  }
  return sums;
}

const FLOWS: ReadonlySet<string> = new Set(
  [SETS[4], SETS[6]].flatMap(({ flows, wideFlows }) => [flows.name, wideFlows.name]),
);

/**
 * A nat chain sees the first packet of each flow alone, so what a map has counted are connections; and these packets, not
 * translated yet, are missing where flows are counted. There the key begins with the direction; 0: from clients.
 */
function countersOf({ set, key, packets, bytes }: ElementCounter): Counters {
  if (!FLOWS.has(set)) return { connections: packets, in: { packets, bytes }, out: NO_TRAFFIC };
  if (key.startsWith('0 ')) return { connections: 0, in: { packets, bytes }, out: NO_TRAFFIC };
  return { connections: 0, in: NO_TRAFFIC, out: { packets, bytes } };
}
