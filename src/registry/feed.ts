import { HatobaError, hatobaError } from '../model/errors.ts';
import type { Snapshot, Store } from '../store/store.ts';

/** A key that was put or, `value` null, deleted; `revision`: of the commit that did. */
export interface KeyChange {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
}

/** What holds a part of the store in memory. */
export interface Mirror {
  /** Takes over what concerns it; returns how to tell its listeners, once all mirrors have changed. */
  apply(changes: readonly KeyChange[], revision: number): () => void;
  /** The keys it holds, and their revisions. */
  known(): Iterable<readonly [key: string, revision: number]>;
}

/** Keeps mirrors in step with the store. */
export interface Feed {
  /** Up to which revision the mirrors are complete. */
  revision(): number;
  /** Until that revision, or for good where the feed has ended. */
  reached(revision: number): Promise<void>;
  /** Error: `store_failed` where the feed has ended, so that nothing is decided on what may be old. */
  refuseEnded(): void;
  stop(): Promise<void>;
}

/**
 * Resolves when the mirrors have everything that is in the store. `onError` hears why the feed has ended,
 * unless it was stopped. Errors: `store_…`.
 */
export async function startFeed(
  store: Store,
  mirrors: readonly Mirror[],
  onError: (error: unknown) => void,
): Promise<Feed> {
  const abort = new AbortController();
  const waiting = new Set<{ readonly revision: number; readonly wake: () => void }>();
  let revision = 0;
  let hasEnded = false;

  function apply(changes: readonly KeyChange[], to: number): void {
    const announcements = mirrors.map((mirror) => mirror.apply(changes, to));
    revision = to;
    wake();
    for (const announce of announcements) announce();
  }

  function wake(): void {
    for (const waiter of waiting) {
      if (!hasEnded && waiter.revision > revision) continue;
      waiting.delete(waiter);
      waiter.wake();
    }
  }

  async function readAgain(): Promise<void> {
    const snapshot = await store.read('');
    apply(difference(mirrors, snapshot), snapshot.revision);
  }

  async function follow(): Promise<void> {
    for await (const change of store.watch('', revision, abort.signal)) {
      const changes = change.changes.map(({ key, value }) => ({ key, value, revision: change.revision }));
      apply(changes, change.revision);
    }
    if (!abort.signal.aborted) throw hatobaError('store_failed', { reason: 'it was closed while it was watched' });
  }

  async function followOrReadAgain(): Promise<void> {
    try {
      await follow();
    } catch (error) {
      if (!isCompacted(error)) throw error;
      await readAgain();
    }
  }

  async function run(): Promise<void> {
    try {
      while (!abort.signal.aborted) await followOrReadAgain();
    } catch (error) {
      onError(error);
    } finally {
      hasEnded = true;
      wake();
    }
  }

  await readAgain();
  const running = run();

  return {
    revision: () => revision,

    reached(wanted) {
      if (hasEnded || revision >= wanted) return Promise.resolve();
      return new Promise((resolve) => waiting.add({ revision: wanted, wake: resolve }));
    },

    refuseEnded() {
      if (hasEnded) throw hatobaError('store_failed', { reason: 'the registry no longer follows it' });
    },

    async stop() {
      abort.abort();
      await running;
    },
  };
}

/** What leads from what the mirrors hold to the snapshot. */
function difference(mirrors: readonly Mirror[], { revision, entries }: Snapshot): readonly KeyChange[] {
  const known = new Map(mirrors.flatMap((mirror) => Array.from(mirror.known())));
  const changed = entries.filter((entry) => known.get(entry.key) !== entry.revision);
  for (const { key } of entries) known.delete(key);
  const gone = Array.from(known.keys(), (key) => ({ key, value: null, revision }));
  return [...gone, ...changed];
}

function isCompacted(error: unknown): boolean {
  return error instanceof HatobaError && error.code === 'store_compacted';
}
