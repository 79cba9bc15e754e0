import type { RouterId } from '../model/router.ts';
import { createDrainIndex, type DrainIndex } from './drain-index.ts';
import { readDrain } from './drain-record.ts';
import type { KeyChange, Mirror } from './feed.ts';
import { createForwardIndex, type ForwardIndex } from './forward-index.ts';
import { createForwardReader } from './forward-record.ts';
import { DRAINS, drainKey, FORWARDS, forwardKey, GUARDS, guardKey, splitKey } from './keys.ts';
import { createListeners } from './listeners.ts';
import type { ForwardsChange } from './registry.ts';

/** All forwards, their routers' guards, and what drains, as of one revision. */
export interface ForwardMirror extends Mirror {
  readonly index: ForwardIndex;
  readonly drains: DrainIndex;
  /** The revision of the router's guard; 0: it has none. */
  guardRevision(router: RouterId): number;
  subscribe(listener: (change: ForwardsChange) => void): () => void;
}

export function createForwardMirror(onError: (error: unknown) => void): ForwardMirror {
  const index = createForwardIndex();
  const guards = new Map<RouterId, number>();
  const drains = createDrainIndex();
  const read = createForwardReader();
  const listeners = createListeners<ForwardsChange>();

  function applyForward({ key, value, revision }: KeyChange) {
    const { router, rest: id } = splitKey(key);
    if (value === null) index.remove(router, id);
    else index.put(read(key, value, revision));
    return { router, id };
  }

  function applyGuard({ key, value, revision }: KeyChange): void {
    const { router } = splitKey(key);
    if (value === null) guards.delete(router);
    else guards.set(router, revision);
  }

  function applyDrain({ key, value, revision }: KeyChange): void {
    const { router, rest: id } = splitKey(key);
    if (value === null) drains.remove(router, id);
    else drains.put(readDrain(key, value, revision));
  }

  return {
    index,
    drains,
    guardRevision: (router) => guards.get(router) ?? 0,
    subscribe: (listener) => listeners.subscribe(listener),

    apply(changes, revision) {
      const touched = changes.filter(({ key }) => key.startsWith(FORWARDS)).map(applyForward);
      for (const change of changes) if (change.key.startsWith(GUARDS)) applyGuard(change);
      for (const change of changes) if (change.key.startsWith(DRAINS)) applyDrain(change);
      return () => {
        if (touched.length > 0) listeners.tell({ revision, touched }, onError);
      };
    },

    *known() {
      for (const { router, id, revision } of index.list()) yield [forwardKey(router, id), revision];
      for (const [router, revision] of guards) yield [guardKey(router), revision];
      for (const { router, id, revision } of drains.all()) yield [drainKey(router, id), revision];
    },
  };
}
