import type { Store } from '../store/store.ts';

/** The store; `observe` hears how long each commit took, in seconds, and whether it failed. */
export function observeStore(store: Store, observe: (seconds: number, failed: boolean) => void): Store {
  return {
    ...store,
    async commit(commit) {
      const started = performance.now();
      let failed = true;
      try {
        const result = await store.commit(commit);
        failed = false;
        return result;
      } finally {
        observe((performance.now() - started) / 1000, failed);
      }
    },
  };
}
