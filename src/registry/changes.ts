import type { Store } from '../store/store.ts';
import type { Feed } from './feed.ts';
import { createForwardReader } from './forwards/forward-record.ts';
import { FORWARDS, STATUSES, splitKey } from './keys.ts';
import type { RegistryChange } from './registry.ts';
import { readStatus } from './statuses/status-record.ts';

/**
 * What changes after the revision, told when the mirrors have it, too. It is read from the store when it is asked for, so
 * that a slow listener holds nothing in memory. Error: `store_compacted`.
 */
export async function* followChanges(
  store: Store,
  feed: Feed,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<RegistryChange, void> {
  const readForward = createForwardReader();
  for await (const { revision, changes } of store.watch('', after, signal)) {
    await feed.reached(revision);
    const forwards: RegistryChange['forwards'][number][] = [];
    const statuses: RegistryChange['statuses'][number][] = [];
    for (const { key, value } of changes) {
      const { router, rest } = splitKey(key);
      if (key.startsWith(FORWARDS)) {
        forwards.push({ router, id: rest, forward: value === null ? null : readForward(key, value, revision) });
      } else if (key.startsWith(STATUSES)) {
        statuses.push({ router, node: rest, status: value === null ? null : readStatus(key, value) });
      }
    }
    if (forwards.length + statuses.length > 0) yield { revision, forwards, statuses };
  }
}
