import { HatobaError } from '../model/errors.ts';
import type { Store } from '../store/store.ts';

export interface StoreObserver {
  /** How long a commit took, in seconds, and whether it failed. */
  committed(seconds: number, failed: boolean): void;
  /** What is committed would be lost from now on (`store_unavailable`), or, `null`, no longer. Reported once each. */
  availability(trouble: HatobaError | null): void;
}

/** The same store, whose commits and trouble `observer` is told of. Every commit is followed by a look at its files. */
export function observeStore(store: Store, observer: StoreObserver): Store {
  let known: string | null = null;
  const observed: Store = {
    ...store,
    async commit(commit) {
      const started = performance.now();
      let failed = true;
      try {
        const result = await store.commit(commit);
        failed = false;
        return result;
      } finally {
        observer.committed((performance.now() - started) / 1000, failed);
        // The commit's own error is the one that counts.
        await observed.verify().catch(() => undefined);
      }
    },
    async verify() {
      try {
        await store.verify();
        note(null);
      } catch (error) {
        if (error instanceof HatobaError && error.code === 'store_unavailable') note(error);
        throw error;
      }
    },
  };
  return observed;

  function note(trouble: HatobaError | null): void {
    const message = trouble?.message ?? null;
    if (message === known) return;
    known = message;
    observer.availability(trouble);
  }
}
