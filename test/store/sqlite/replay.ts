import type { Change, Store } from '../../../src/store/store.ts';

/** What a watch of everything gives at once, up to the newest revision. */
export async function replay(store: Store, after: number): Promise<readonly Change[]> {
  const { revision } = await store.read('');
  const abort = new AbortController();
  const changes: Change[] = [];
  for await (const change of store.watch('', after, abort.signal)) {
    changes.push(change);
    if (change.revision === revision) abort.abort();
  }
  return changes;
}
