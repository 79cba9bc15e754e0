import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { createHistory } from '../../contract/watched-history.ts';
import { replay } from './replay.ts';

const KEPT = 20;
const KEYS = 7;

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
  expect((await replay(store, 500 - KEPT)).flatMap(({ changes }) => changes)).toHaveLength(KEYS);
  await expect(replay(store, 400)).rejects.toMatchObject({ code: 'store_compacted' });
  await expect(replay(store, 0)).rejects.toMatchObject({ code: 'store_compacted' });
  expect((await store.read('')).entries).toHaveLength(KEYS);
});

test('from every revision there is either all that is needed, or an error', async () => {
  await commitTimes(470);
  const history = createHistory(await store.read(''));
  for (let count = 0; count < 31; count++) {
    const puts = [`k/${count % KEYS}`, `once/${count}`].map((key) => ({ key, value: '0' }));
    await store.commit({ puts, deletes: [`once/${count - 1}`] });
    history.add(await store.read(''));
  }
  let refused = 0;
  for (let after = 470; after < 501; after++) {
    const seen = await replay(store, after).catch(() => null);
    if (seen === null) refused++;
    else history.expectFollowed(seen, { prefix: '', after });
  }
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(501 - KEPT - 470);
});

test('revisions of which everything was overtaken can be watched from like others', async () => {
  await commitTimes(KEPT, 'k/0');
  for (let after = 0; after < KEPT; after++) {
    expect(await replay(store, after)).toEqual([{ revision: KEPT, changes: [{ key: 'k/0', value: '0' }] }]);
  }
  await commitTimes(KEPT, 'k/0');
  await expect(replay(store, 0)).rejects.toMatchObject({ code: 'store_compacted' });
  expect(await replay(store, KEPT)).toEqual([{ revision: 2 * KEPT, changes: [{ key: 'k/0', value: '0' }] }]);
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

/** Puts one key, or several in turn. */
async function commitTimes(times: number, only?: string): Promise<void> {
  for (let count = 0; count < times; count++) {
    await store.commit({ puts: [{ key: only ?? `k/${count % KEYS}`, value: '0' }] });
  }
}
