import type { RouterId } from '../../model/router.ts';
import type { RouterStatus } from '../../model/status.ts';
import type { KeyChange, Mirror } from '../feed.ts';
import { STATUSES, splitKey, statusKey } from '../keys.ts';
import { createListeners } from '../listeners.ts';
import { readStatus } from './status-record.ts';

/** What all nodes say about their routers, as of one revision. */
export interface StatusMirror extends Mirror {
  /** In the order of the nodes' names. */
  of(router: RouterId): readonly RouterStatus[];
  /** Routers that some node has, in no order. */
  routers(): Iterable<RouterId>;
  subscribe(listener: (router: RouterId) => void): () => void;
}

export function createStatusMirror(onError: (error: unknown) => void): StatusMirror {
  const routers = new Map<RouterId, readonly RouterStatus[]>();
  const revisions = new Map<string, number>();
  const listeners = createListeners<RouterId>();

  function applyStatus({ key, value, revision }: KeyChange): RouterId {
    const { router } = splitKey(key);
    const others = (routers.get(router) ?? []).filter(({ node }) => statusKey(router, node) !== key);
    const statuses = value === null ? others : [...others, readStatus(key, value)].sort(byNode);
    if (statuses.length === 0) routers.delete(router);
    else routers.set(router, Object.freeze(statuses));
    if (value === null) revisions.delete(key);
    else revisions.set(key, revision);
    return router;
  }

  return {
    of: (router) => routers.get(router) ?? [],
    routers: () => routers.keys(),
    subscribe: (listener) => listeners.subscribe(listener),

    apply(changes) {
      const touched = new Set(changes.filter(({ key }) => key.startsWith(STATUSES)).map(applyStatus));
      return () => {
        for (const router of touched) listeners.tell(router, onError);
      };
    },

    known: () => revisions,
  };
}

function byNode(a: RouterStatus, b: RouterStatus): number {
  return a.node < b.node ? -1 : 1;
}
