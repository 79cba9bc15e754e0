import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';

/** The forwards of one place that are still to end, in the order in which they do. */
export interface Expiries {
  /** Looks anew at these, or at all. `forwards` has to have those only. `now`: what has ended by then has been seen to. */
  update(ids: ReadonlySet<ForwardId> | 'all', forwards: ReadonlyMap<ForwardId, Forward>, now: string): void;
  /** Those that end at `now` or before. */
  until(now: string): ReadonlySet<ForwardId>;
  /** When the next one ends; null: none does. */
  next(): string | null;
}

interface Expiry {
  readonly id: ForwardId;
  readonly at: string;
}

/** With more than these at once, sorting all of them anew is no slower than putting each in order. */
const MOST_CHANGES = 1000;

/** Times as `printTime` gives them. */
export function createExpiries(): Expiries {
  const known = new Map<ForwardId, Expiry>();
  let order: Expiry[] = [];

  function readAll(forwards: ReadonlyMap<ForwardId, Forward>, now: string): void {
    known.clear();
    for (const forward of forwards.values()) note(forward.id, expiryOf(forward, now));
    sortAnew();
  }

  function readMany(ids: ReadonlySet<ForwardId>, forwards: ReadonlyMap<ForwardId, Forward>, now: string): void {
    for (const id of ids) note(id, expiryOf(forwards.get(id), now));
    sortAnew();
  }

  function note(id: ForwardId, expiry: Expiry | null): void {
    if (expiry === null) known.delete(id);
    else known.set(id, expiry);
  }

  function sortAnew(): void {
    order = [...known.values()].sort(compare);
  }

  function replace(id: ForwardId, expiry: Expiry | null): void {
    const before = known.get(id);
    if (before !== undefined) order.splice(positionOf(before, order), 1);
    note(id, expiry);
    if (expiry !== null) order.splice(positionOf(expiry, order), 0, expiry);
  }

  return {
    update(ids, forwards, now) {
      if (ids === 'all') readAll(forwards, now);
      else if (ids.size > MOST_CHANGES) readMany(ids, forwards, now);
      else for (const id of ids) replace(id, expiryOf(forwards.get(id), now));
    },

    until(now) {
      const due = new Set<ForwardId>();
      for (const { id, at } of order) {
        if (at > now) break;
        due.add(id);
      }
      return due;
    },

    next: () => order[0]?.at ?? null,
  };
}

/** Those that are switched off have nothing to be taken out. */
function expiryOf(forward: Forward | undefined, now: string): Expiry | null {
  if (forward === undefined || !forward.enabled || forward.expiresAt === null) return null;
  return forward.expiresAt <= now ? null : { id: forward.id, at: forward.expiresAt };
}

/** Where it is, or where it belongs. */
function positionOf(expiry: Expiry, order: readonly Expiry[]): number {
  let [from, to] = [0, order.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const there = order[middle];
    if (there !== undefined && compare(there, expiry) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function compare(a: Expiry, b: Expiry): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id !== b.id);
}
