import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openChangeLog } from '../../../src/store/sqlite/change-log.ts';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { replay } from './replay.ts';

let directory: string;
let file: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-change-log-'));
  file = join(directory, 'hatoba.db');
  store = openSqliteStore(file);
});

afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

test('a large value that is put again and again takes its room once', async () => {
  const value = JSON.stringify('x'.repeat(2 ** 18));
  for (let time = 0; time < 100; time++) {
    await store.commit({ puts: [{ key: 'statuses/r/n', value }], durable: false });
  }
  await store.close();
  expect(statSync(file).size).toBeLessThan(3 * 2 ** 18);
});

test('puts that were overtaken are left out, deletes are told', async () => {
  await commit(['a', 'b', 'c']);
  await commit(['a'], ['b']);
  await commit(['b']);
  await commit(['d'], ['b']);
  await commit(['d']);
  expect(await replay(store, 0)).toEqual([
    { revision: 1, changes: [{ key: 'c', value: '"1"' }] },
    {
      revision: 2,
      changes: [
        { key: 'a', value: '"2"' },
        { key: 'b', value: null },
      ],
    },
    { revision: 4, changes: [{ key: 'b', value: null }] },
    { revision: 5, changes: [{ key: 'd', value: '"5"' }] },
  ]);
});

test('what was overtaken while a watcher was slow is not told to it either', async () => {
  await commit(['a', 'b']);
  const watching = store.watch('', 0, new AbortController().signal)[Symbol.asyncIterator]();
  await watching.next();
  for (let time = 0; time < 50; time++) await commit(['a']);
  expect(await watching.next()).toEqual({
    done: false,
    value: { revision: 51, changes: [{ key: 'a', value: '"51"' }] },
  });
});

test('of a long log no more is read at once than a watcher takes soon', async () => {
  const VALUE = JSON.stringify('x'.repeat(1_000));
  const puts = (first: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ key: `forwards/r/${first + at}`, value: VALUE }));
  for (let revision = 1; revision <= 9_000; revision++) await store.commit({ puts: puts(revision, 1), durable: false });
  await store.commit({ puts: puts(10_000, 5_000), durable: false });
  for (let revision = 1; revision <= 10; revision++) await store.commit({ puts: puts(20_000 + revision, 1) });
  await store.close();
  const database = openDatabase(file);
  const log = openChangeLog(database);
  const sizes: number[] = [];
  let told = 0;
  for (let after = 0; after < log.newest(); ) {
    const { changes, upTo } = log.since('forwards/', after);
    expect(changes.at(-1)?.revision).toBe(upTo);
    expect(changes[0]?.revision).toBe(after + 1);
    sizes.push(changes.reduce((sum, change) => sum + change.changes.length, 0));
    told += sizes.at(-1) ?? 0;
    after = upTo;
  }
  expect(told).toBe(14_010);
  // One commit is told as a whole, with what there was room for before it.
  expect(sizes.filter((size) => size > 1_100)).toHaveLength(1);
  expect(log.since('elsewhere/', 0)).toEqual({ changes: [], upTo: 9_011 });
  // Nothing is left open that would keep the write-ahead log from being emptied.
  expect(database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
  database.close();
  store = openSqliteStore(file);
});

test('a slow watcher of ten thousand changes misses none, whatever is changed meanwhile', async () => {
  const value = JSON.stringify('x'.repeat(500));
  for (let at = 1; at <= 9_000; at++) await store.commit({ puts: [{ key: `k/${at}`, value }], durable: false });
  const held = new Map<string, string>();
  let revision = 0;
  for await (const change of store.watch('k/', 0, new AbortController().signal)) {
    expect(change.revision).toBeGreaterThan(revision);
    revision = change.revision;
    for (const { key, value: now } of change.changes) {
      if (now === null) held.delete(key);
      else held.set(key, now);
    }
    // Every ninth time something that it has not come to yet is put or deleted.
    if (revision % 9 === 0 && revision < 9_000) {
      const key = `k/${9_001 - revision / 9}`;
      await store.commit(revision % 2 === 0 ? { deletes: [key] } : { puts: [{ key, value: '"new"' }] });
    }
    if (revision === (await store.read('nothing/')).revision) break;
  }
  const { entries } = await store.read('k/');
  expect(held).toEqual(new Map(entries.map(({ key, value: now }) => [key, now])));
  expect(revision).toBeGreaterThan(9_900);
});

/** The value of every key is the commit's revision. */
async function commit(keys: readonly string[], deletes: readonly string[] = []): Promise<void> {
  const { revision } = await store.read('');
  await store.commit({ puts: keys.map((key) => ({ key, value: `"${revision + 1}"` })), deletes });
}
