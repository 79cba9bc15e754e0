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

/** Which part of the key is the direction, in sets that count flows. */
const DIRECTION_AT: ReadonlyMap<string, number> = new Map(
  [SETS[4], SETS[6]].flatMap(({ flows, wideFlows }) => [
    [flows.name, flows.key.indexOf('ct_dir')],
    [wideFlows.name, wideFlows.key.indexOf('ct_dir')],
  ]),
);

/**
 * A nat chain sees the first packet of each flow alone, so what a map has counted are connections; and these packets, not
 * translated yet, are missing where flows are counted. Direction 0: from clients.
 */
function countersOf({ set, key, packets, bytes }: ElementCounter): Counters {
  const directionAt = DIRECTION_AT.get(set);
  if (directionAt === undefined) return { connections: packets, in: { packets, bytes }, out: NO_TRAFFIC };
  if (key.split(' . ')[directionAt] === '0') return { connections: 0, in: { packets, bytes }, out: NO_TRAFFIC };
  return { connections: 0, in: NO_TRAFFIC, out: { packets, bytes } };
}
