import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../../src/store/sqlite/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { replay } from './replay.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-schema-'));
  file = join(directory, 'hatoba.db');
});

afterEach(() => rmSync(directory, { recursive: true }));

test('what has been released is what it was', () => {
  const digests = MIGRATIONS.map((migration) => createHash('sha256').update(migration).digest('hex').slice(0, 16));
  expect(digests).toEqual(['c92c54b2b403340a', 'b28a7bc9ea71ae69', 'd4285c1e1d2f185a']);
});

describe('a database of schema 1, whose log has values', () => {
  let store: Store;

  beforeEach(() => {
    makeFirst();
    store = openSqliteStore(file);
  });

  afterEach(() => store.close());

  test('keeps its entries and its revision', async () => {
    expect(await store.read('')).toEqual({
      revision: 105,
      entries: [
        { key: 'a', value: '"105"', revision: 105 },
        { key: 'b', value: '"old"', revision: 3 },
        { key: 'd', value: '"103"', revision: 103 },
      ],
    });
  });

  test('can be watched from where it could be before, and no earlier', async () => {
    const atEnd = { revision: 105, changes: [{ key: 'a', value: '"105"' }] };
    const gone = { revision: 104, changes: [{ key: 'c', value: null }] };
    const put = { revision: 103, changes: [{ key: 'd', value: '"103"' }] };
    expect(await replay(store, 102)).toEqual([put, gone, atEnd]);
    expect(await replay(store, 103)).toEqual([gone, atEnd]);
    expect(await replay(store, 104)).toEqual([atEnd]);
    const before = { revision: 102, changes: [{ key: 'a', value: null }] };
    expect(await replay(store, 100)).toEqual([before, put, gone, atEnd]);
    await expect(replay(store, 99)).rejects.toMatchObject({ code: 'store_compacted' });
  });

  test('goes on counting, also when it is opened again', async () => {
    expect(await store.commit({ checks: [{ key: 'd', revision: 103 }], deletes: ['d'] })).toEqual({
      committed: true,
      revision: 106,
    });
    await store.close();
    store = openSqliteStore(file);
    expect(await store.commit({ puts: [{ key: 'e', value: '"107"' }] })).toEqual({ committed: true, revision: 107 });
    expect(await replay(store, 105)).toEqual([
      { revision: 106, changes: [{ key: 'd', value: null }] },
      { revision: 107, changes: [{ key: 'e', value: '"107"' }] },
    ]);
  });
});

test('led to the newest schema, a database has the tables of one that began with it', () => {
  makeFirst();
  expect(tablesOf(file)).toEqual(tablesOf(join(directory, 'new.db')));
});

/** As version 1 left it: compacted up to revision 100; some of what came then was overtaken, some not. */
function makeFirst(): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(MIGRATIONS[0] ?? '');
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec('PRAGMA user_version = 1');
  database.exec(`INSERT INTO entries (key, value, revision)
    VALUES ('a', '"105"', 105), ('b', '"old"', 3), ('d', '"103"', 103)`);
  database.exec(`INSERT INTO changes (revision, key, value)
    VALUES (101, 'a', '"101"'), (101, 'c', '"101"'), (102, 'a', NULL), (103, 'c', '"103"'), (103, 'd', '"103"'),
           (104, 'c', NULL), (105, 'a', '"105"')`);
  database.close();
}

function tablesOf(path: string) {
  const database = openDatabase(path);
  const tables = database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
  database.close();
  return tables;
}
