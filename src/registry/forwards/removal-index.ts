import type { ForwardId } from '../../model/ids.ts';
import type { Removal } from './removal-record.ts';

/** Removals in memory, as the store had them at one revision. */
export interface RemovalIndex {
  put(removal: Removal): void;
  remove(key: string): void;
  has(id: ForwardId): boolean;
  /** Oldest first, where they are put in the order of their keys. */
  all(): Iterable<Removal>;
  /** How many forwards all of them name. */
  count(): number;
}

export function createRemovalIndex(): RemovalIndex {
  const byKey = new Map<string, Removal>();
  /** How many removals name it: a forward can be restored, and removed again. */
  const counts = new Map<ForwardId, number>();
  let total = 0;

  function add(ids: readonly ForwardId[], by: 1 | -1): void {
    total += by * ids.length;
    for (const id of ids) {
      const now = (counts.get(id) ?? 0) + by;
      if (now === 0) counts.delete(id);
      else counts.set(id, now);
    }
  }

  function remove(key: string): void {
    const removal = byKey.get(key);
    if (removal === undefined) return;
    byKey.delete(key);
    add(removal.ids, -1);
  }

  return {
    put(removal) {
      remove(removal.key);
      byKey.set(removal.key, removal);
      add(removal.ids, 1);
    },
    remove,
    has: (id) => counts.has(id),
    all: () => byKey.values(),
    count: () => total,
  };
}
