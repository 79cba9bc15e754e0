import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/database.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../../src/store/sqlite/schema.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-database-'));
  file = join(directory, 'hatoba.db');
});

afterEach(() => rmSync(directory, { recursive: true }));

test('a new file is readable to its owner alone, its log too', async () => {
  const store = openSqliteStore(file);
  expect([file, `${file}-wal`].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
  await store.close();
});

test('commits survive a power cut: write-ahead log, synchronous FULL', () => {
  const database = openDatabase(file);
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  database.close();
});

test('a file name that means something to SQLite is a file name', async () => {
  const store = openSqliteStore(join(directory, ':memory:?mode=ro'));
  await store.commit({ puts: [{ key: 'a', value: '1' }] });
  await store.close();
  expect(statSync(join(directory, ':memory:?mode=ro')).size).toBeGreaterThan(0);
});

test('a watch that waits keeps nothing going: no timer, no handle', () => {
  const output = inAnotherProcess(`
    const store = openSqliteStore(${JSON.stringify(file)});
    await store.commit({ puts: [{ key: 'a', value: '1' }] });
    const watching = store.watch('', 0, new AbortController().signal);
    console.log((await watching.next()).value.revision);
    watching.next();
    await null;
    console.log(process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap').join());`);
  expect(output).toBe('1\n\n');
});

describe('a second opener is refused and the first goes on', () => {
  test('in the same process', async () => {
    const store = openSqliteStore(file);
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_in_use' }));
    expect(openElsewhere(file)).toContain('store_in_use');
    expect(await store.commit({ puts: [{ key: 'a', value: '1' }] })).toEqual({ committed: true, revision: 1 });
    await store.close();
  });

  test('in another process, also before anything was committed', async () => {
    const store = openSqliteStore(file);
    await store.close();
    const again = openSqliteStore(file);
    expect(openElsewhere(file)).toContain('store_in_use');
    await again.close();
    expect(openElsewhere(file)).toContain('opened');
  });
});

describe('a file that is not ours is left as it is', () => {
  test('not a database', () => {
    writeFileSync(file, 'key: value\n'.repeat(1000));
    expectRefusal('store_unreadable', /not a database/);
  });

  test('shorter than a header', () => {
    writeFileSync(file, 'SQLite format 3\0');
    expectRefusal('store_unreadable', /not a database/);
  });

  test("another program's database", () => {
    seed((database) => database.exec('CREATE TABLE users (id INTEGER)'));
    expectRefusal('store_unreadable', /another program/);
  });

  test("another program's application id", () => {
    seed((database) => database.exec('PRAGMA application_id = 7'));
    expectRefusal('store_unreadable', /another program/);
  });

  test('truncated', async () => {
    await fill(200);
    truncateSync(file, statSync(file).size - 4096);
    expectRefusal('store_unreadable', /malformed/);
  });

  test('emptied, with its log still there', async () => {
    await fill(1);
    truncateSync(file, 0);
    writeFileSync(`${file}-wal`, 'what was committed last');
    expectRefusal('store_unreadable', /empty/);
    expect(readFileSync(`${file}-wal`, 'utf8')).toBe('what was committed last');
  });

  test('a directory', () => {
    mkdirSync(file);
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_unreadable' }));
  });
});

test('damage inside is an error when it is met, never a wrong answer', async () => {
  await fill(500);
  const bytes = readFileSync(file);
  bytes.fill(0xff, 8 * 4096, 40 * 4096);
  writeFileSync(file, bytes);
  const store = openSqliteStore(file);
  await expect(store.read('')).rejects.toMatchObject({ code: 'store_unreadable' });
  await store.close();
});

test('an empty file becomes a database, as after a crash right at the beginning', async () => {
  writeFileSync(file, '');
  const store = openSqliteStore(file);
  expect((await store.read('')).revision).toBe(0);
  await store.close();
});

test('a directory that is missing is named', () => {
  const missing = join(directory, 'missing', 'hatoba.db');
  expect(() => openSqliteStore(missing)).toThrow(
    expect.objectContaining({ code: 'store_failed', message: expect.stringContaining(join(directory, 'missing')) }),
  );
});

describe('schema versions', () => {
  test('the newest one is marked as such, and as ours', () => {
    const database = openDatabase(file);
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length });
    expect(database.prepare('PRAGMA application_id').get()).toEqual({ application_id: APPLICATION_ID });
    database.close();
  });

  test('a newer one is refused by name and left as it is', async () => {
    await fill(1);
    seed((database) => database.exec('PRAGMA user_version = 99'));
    expectRefusal('store_newer', new RegExp(`schema 99, this one knows ${MIGRATIONS.length}`));
  });

  test('an older one is led to the newest, with what it holds', async () => {
    await fill(3);
    const database = openDatabase(file, [...MIGRATIONS, 'ALTER TABLE entries ADD COLUMN lease INTEGER']);
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length + 1 });
    expect(database.prepare('SELECT count(*) AS count, max(lease) AS lease FROM entries').get()).toEqual({
      count: 3,
      lease: null,
    });
    database.close();
    expectRefusal('store_newer', new RegExp(`schema ${MIGRATIONS.length + 1}, this one knows ${MIGRATIONS.length}`));
  });

  test('all steps are taken at once, or none', async () => {
    await fill(3);
    const broken = [...MIGRATIONS, 'CREATE TABLE leases (id INTEGER) STRICT', 'CREATE NONSENSE'];
    expect(() => openDatabase(file, broken)).toThrow(expect.objectContaining({ code: 'store_failed' }));
    const store = openSqliteStore(file);
    expect((await store.read('')).entries).toHaveLength(3);
    await store.close();
    seed((database) => {
      expect(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'leases'").get()).toBeUndefined();
    });
  });
});

function expectRefusal(code: string, message: RegExp): void {
  const before = readFileSync(file);
  expect(() => openSqliteStore(file)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
  expect(readFileSync(file).equals(before)).toBe(true);
}

/** Something done to the file behind the store's back. */
function seed(work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(file);
  work(database);
  database.close();
}

async function fill(keys: number): Promise<void> {
  const store = openSqliteStore(file);
  const value = JSON.stringify('x'.repeat(400));
  for (let key = 0; key < keys; key++) await store.commit({ puts: [{ key: `k/${key}`, value }] });
  await store.close();
}

function openElsewhere(path: string): string {
  return inAnotherProcess(`
    try { await openSqliteStore(${JSON.stringify(path)}).close(); console.log('opened'); }
    catch (error) { console.log(error.code); }`);
}

/** What a script that uses `openSqliteStore` writes until it ends by itself. */
function inAnotherProcess(script: string): string {
  const store = new URL('../../../src/store/sqlite/open-sqlite-store.ts', import.meta.url).href;
  const source = `import { openSqliteStore } from ${JSON.stringify(store)};${script}`;
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], options).stdout;
}
