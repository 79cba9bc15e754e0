import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import type { Change, Store } from '../../../src/store/store.ts';

const KEPT = 20;

let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-compaction-'));
  store = openSqliteStore(join(directory, 'hatoba.db'), { keptRevisions: KEPT });
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

test('the newest revisions can be watched from, older ones are refused, the state is whole', async () => {
  await commitTimes(500);
  expect((await replay(500 - KEPT)).map(({ revision }) => revision)).toEqual(
    Array.from({ length: KEPT }, (_, index) => 501 - KEPT + index),
  );
  await expect(replay(400)).rejects.toMatchObject({ code: 'store_compacted' });
  await expect(replay(0)).rejects.toMatchObject({ code: 'store_compacted' });
  expect((await store.read('')).entries).toHaveLength(7);
});

test('from every revision there is either all that followed, or an error', async () => {
  await commitTimes(501);
  let refused = 0;
  for (let after = 470; after < 501; after++) {
    const seen = await replay(after).catch(() => null);
    if (seen === null) refused++;
    else
      expect(seen.map(({ revision }) => revision)).toEqual(
        Array.from({ length: 501 - after }, (_, n) => after + 1 + n),
      );
  }
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(501 - KEPT - 470);
});

test('revisions go on counting when the store is opened again', async () => {
  await commitTimes(100);
  await store.close();
  store = openSqliteStore(join(directory, 'hatoba.db'), { keptRevisions: KEPT });
  expect(await store.commit({ puts: [{ key: 'a', value: '1' }] })).toEqual({ committed: true, revision: 101 });
});

test('a watcher that has fallen too far behind is told so', async () => {
  const watching = store.watch('', 0, new AbortController().signal)[Symbol.asyncIterator]();
  await commitTimes(1);
  expect(await watching.next()).toMatchObject({ done: false, value: { revision: 1 } });
  await commitTimes(500);
  await expect(watching.next()).rejects.toMatchObject({ code: 'store_compacted' });
});

test('a watcher whose prefix nobody writes to keeps up all the same', async () => {
  const abort = new AbortController();
  const watching = store.watch('quiet/', 0, abort.signal)[Symbol.asyncIterator]();
  const next = watching.next();
  await commitTimes(500);
  await store.commit({ puts: [{ key: 'quiet/a', value: '1' }] });
  expect(await next).toMatchObject({ done: false, value: { revision: 501 } });
  abort.abort();
});

async function commitTimes(times: number): Promise<void> {
  for (let count = 0; count < times; count++) await store.commit({ puts: [{ key: `k/${count % 7}`, value: '0' }] });
}

/** What a watch gives at once. */
async function replay(after: number): Promise<Change[]> {
  const { revision } = await store.read('');
  const abort = new AbortController();
  const changes: Change[] = [];
  for await (const change of store.watch('', after, abort.signal)) {
    changes.push(change);
    if (change.revision === revision) abort.abort();
  }
  return changes;
}
