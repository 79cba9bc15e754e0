import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';

let root: string;
let directory: string;
let file: string;
let store: Store;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'hatoba-stored-file-'));
  directory = join(root, 'data');
  mkdirSync(directory);
  file = join(directory, 'hatoba.db');
  store = openSqliteStore(file);
  await put('a');
});

afterEach(async () => {
  await store.close().catch(() => undefined);
  rmSync(root, { recursive: true });
});

const put = (key: string, durable = true) => store.commit({ puts: [{ key, value: '1' }], durable });

/** What others do to the files of a store that is open, and what its user is told. */
const MISFORTUNES: readonly { readonly what: string; readonly does: () => void; readonly says: RegExp }[] = [
  { what: 'the database is deleted', does: () => rmSync(file), says: /hatoba\.db was deleted or renamed/ },
  { what: 'the database is renamed', does: () => renameSync(file, `${file}.old`), says: /deleted or renamed/ },
  {
    what: 'its directory is renamed',
    does: () => renameSync(directory, join(root, 'old')),
    says: /deleted or renamed/,
  },
  { what: 'the database is emptied', does: () => truncateSync(file, 0), says: /hatoba\.db was cut short/ },
  { what: 'the database is cut short', does: () => truncateSync(file, statSync(file).size - 1), says: /cut short/ },
  {
    what: 'another file is put in its place',
    does: () => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
    says: /hatoba\.db was replaced by another file/,
  },
  {
    what: 'it is deleted and an empty one made',
    does: () => {
      renameSync(file, `${file}.old`);
      writeFileSync(file, '');
    },
    says: /replaced by another file/,
  },
  { what: 'the log is deleted', does: () => rmSync(`${file}-wal`), says: /hatoba\.db-wal was deleted or renamed/ },
  { what: 'the log is emptied', does: () => truncateSync(`${file}-wal`, 0), says: /hatoba\.db-wal was cut short/ },
  {
    what: 'another file is put in place of the log',
    does: () => {
      copyFileSync(`${file}-wal`, `${file}-copy`);
      renameSync(`${file}-copy`, `${file}-wal`);
    },
    says: /hatoba\.db-wal was replaced by another file/,
  },
];

describe('a file that is taken away from an open store is noticed before the next change is acknowledged', () => {
  test.each(MISFORTUNES)('$what', async ({ does, says }) => {
    await store.verify();
    does();
    const told = { code: 'store_unavailable', message: expect.stringMatching(says) };
    await expect(store.verify()).rejects.toMatchObject(told);
    await expect(put('b')).rejects.toMatchObject(told);
    await expect(put('b')).rejects.toMatchObject(told);
  });

  test('what was read before can still be read where the file is only out of reach', async () => {
    rmSync(file);
    await expect(put('b')).rejects.toMatchObject({ code: 'store_unavailable' });
    expect((await store.read('')).entries.map(({ key }) => key)).toEqual(['a']);
    await put('status', false);
    expect((await store.read('')).entries.map(({ key }) => key)).toEqual(['a', 'status']);
  });

  test('a file that is put back is the same again', async () => {
    renameSync(file, `${file}.old`);
    await expect(put('b')).rejects.toMatchObject({ code: 'store_unavailable' });
    renameSync(`${file}.old`, file);
    await put('b');
    await store.verify();
  });
});

test('what SQLite itself does to its files is no misfortune', async () => {
  // The log grows beyond what is kept of it, and a later commit cuts it to that.
  const large = 'x'.repeat(20 << 20);
  await store.commit({ puts: [{ key: 'large', value: large }] });
  const grown = statSync(`${file}-wal`).size;
  await store.commit({ deletes: ['large'] });
  for (let count = 0; count < 50; count++) await put(`small/${count}`, count % 2 === 0);
  expect(statSync(`${file}-wal`).size).toBeLessThan(grown);
  await store.verify();
});
