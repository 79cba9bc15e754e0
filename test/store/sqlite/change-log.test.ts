import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

/** The value of every key is the commit's revision. */
async function commit(keys: readonly string[], deletes: readonly string[] = []): Promise<void> {
  const { revision } = await store.read('');
  await store.commit({ puts: keys.map((key) => ({ key, value: `"${revision + 1}"` })), deletes });
}
