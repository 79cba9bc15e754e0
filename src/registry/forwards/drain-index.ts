import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { Drain } from './drain-record.ts';

/** Drains in memory, as the store had them at one revision. */
export interface DrainIndex {
  put(drain: Drain): void;
  remove(router: RouterId, id: ForwardId): void;
  has(router: RouterId, id: ForwardId): boolean;
  ofRouter(router: RouterId): ReadonlySet<ForwardId>;
  all(): Iterable<Drain>;
}

const NONE: ReadonlySet<ForwardId> = new Set();

export function createDrainIndex(): DrainIndex {
  const routers = new Map<RouterId, Map<ForwardId, Drain>>();
  return {
    put(drain) {
      const router = routers.get(drain.router) ?? new Map<ForwardId, Drain>();
      routers.set(drain.router, router.set(drain.id, drain));
    },

    remove(router, id) {
      const drains = routers.get(router);
      drains?.delete(id);
      if (drains?.size === 0) routers.delete(router);
    },

    has: (router, id) => routers.get(router)?.has(id) ?? false,

    ofRouter(router) {
      const drains = routers.get(router);
      return drains === undefined ? NONE : new Set(drains.keys());
    },

    *all() {
      for (const drains of routers.values()) yield* drains.values();
    },
  };
}
