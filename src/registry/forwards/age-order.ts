import type { Forward } from '../../model/forward.ts';

/** Forwards, oldest first. */
export interface AgeOrder {
  add(forward: Forward): void;
  remove(forward: Forward): void;
  /** A snapshot: later changes do not alter it. */
  list(): readonly Forward[];
}

/** With more changes than these since the last list, sorting all of them anew is no slower. */
const MOST_CHANGES = 1000;

/** `all`: the forwards as they are, for when there is no order to build on. */
export function createAgeOrder(all: () => Iterable<Forward>): AgeOrder {
  let order: Forward[] | null = null;
  let snapshot: readonly Forward[] | null = null;
  let changes = 0;

  function splice(forward: Forward, remove: 0 | 1, ...add: readonly Forward[]): void {
    snapshot = null;
    changes++;
    if (changes > MOST_CHANGES) order = null;
    order?.splice(positionOf(forward, order), remove, ...add);
  }

  return {
    add: (forward) => splice(forward, 0, forward),
    remove: (forward) => splice(forward, 1),

    list() {
      order ??= [...all()].sort(byAge);
      snapshot ??= Object.freeze(order.slice());
      changes = 0;
      return snapshot;
    },
  };
}

/** Where it is, or where it belongs. */
function positionOf(forward: Forward, order: readonly Forward[]): number {
  let [from, to] = [0, order.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const there = order[middle];
    if (there !== undefined && byAge(there, forward) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Times of RFC 3339 in UTC with the same precision sort as texts; no two forwards have the same id. */
function byAge(a: Forward, b: Forward): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id !== b.id);
}
