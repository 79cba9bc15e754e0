import type { RouterId } from '../../model/router.ts';
import { teardownKey } from '../keys.ts';
import { type RetiredForward, readTeardown } from './teardown-record.ts';

/** One record of forwards that a commit, at `revision`, removed or led elsewhere. */
export interface Teardown {
  readonly router: RouterId;
  readonly id: string;
  readonly revision: number;
  /** Its size in memory and in the store, in characters. */
  readonly size: number;
}

/** Teardowns in memory, as the store had them at one revision. They are parsed only when they are read. */
export interface TeardownIndex {
  put(router: RouterId, id: string, value: string, revision: number): void;
  remove(router: RouterId, id: string): void;
  /** The forwards of those after the revision. Error: `store_unreadable`. */
  retiredSince(router: RouterId, revision: number): readonly RetiredForward[];
  all(): Iterable<Teardown>;
  /** Those that have to go so that there is room for `added` more of this router, oldest first. */
  surplus(router: RouterId, added: number): readonly Teardown[];
}

export interface TeardownLimits {
  /** In characters; what a router that stays behind for long has beyond this is forgotten, oldest first. */
  readonly perRouter: number;
  readonly inSum: number;
}

/** About 150,000 forwards of one router, and twice as many of all. */
const LIMITS: TeardownLimits = { perRouter: 32 << 20, inSum: 64 << 20 };

interface Stored extends Teardown {
  readonly value: string;
}

export function createTeardownIndex({ perRouter, inSum }: TeardownLimits = LIMITS): TeardownIndex {
  const routers = new Map<RouterId, Map<string, Stored>>();

  function* all(): Generator<Stored, void> {
    for (const teardowns of routers.values()) yield* teardowns.values();
  }

  return {
    put(router, id, value, revision) {
      const teardowns = routers.get(router) ?? new Map<string, Stored>();
      routers.set(router, teardowns.set(id, { router, id, revision, size: value.length, value }));
    },

    remove(router, id) {
      const teardowns = routers.get(router);
      teardowns?.delete(id);
      if (teardowns?.size === 0) routers.delete(router);
    },

    retiredSince(router, revision) {
      const teardowns = [...(routers.get(router)?.values() ?? [])];
      return teardowns
        .filter((teardown) => teardown.revision > revision)
        .flatMap(({ id, value }) => readTeardown(teardownKey(router, id), router, value));
    },

    all,

    surplus(router, added) {
      const own = oldest(routers.get(router)?.values() ?? [], added - perRouter);
      const gone = new Set<Teardown>(own);
      const others = [...all()].filter((teardown) => !gone.has(teardown));
      return [...own, ...oldest(others, added - inSum)];
    },
  };
}

/** The oldest, until what is left of them is no more than `-excess`. */
function oldest(teardowns: Iterable<Teardown>, excess: number): readonly Teardown[] {
  const inOrder = [...teardowns].sort((a, b) => a.revision - b.revision);
  let over = inOrder.reduce((sum, { size }) => sum + size, excess);
  const surplus: Teardown[] = [];
  for (const teardown of inOrder) {
    if (over <= 0) break;
    surplus.push(teardown);
    over -= teardown.size;
  }
  return surplus;
}
