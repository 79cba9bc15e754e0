import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { writeForward } from '../../../src/registry/forwards/forward-record.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../../src/store/sqlite/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import { idOf } from '../../model/arbitraries.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore } from '../temporary-store.ts';

async function open(): Promise<{ registry: Registry; store: Store }> {
  const store = openTemporaryStore();
  const registry = await openRegistry(store);
  onTestFinished(async () => {
    await registry.stop();
    await store.remove();
  });
  return { registry, store };
}

async function nameKeys(store: Store): Promise<readonly string[]> {
  return (await store.read('names/')).entries.map(({ key }) => key);
}

test('a name is taken in its project only', async () => {
  const { registry } = await open();
  const { forwards } = registry;
  await forwards.create(spec({ name: 'web', external_port: 1 }));
  await forwards.create(spec({ name: 'web', external_port: 2, project_id: 'red' }));
  await forwards.create(spec({ name: 'web', external_port: 3, project_id: 'blue' }));
  for (const project_id of [null, 'red', 'blue']) {
    const again = forwards.create(spec({ name: 'web', external_port: 4, project_id }));
    await expect(again).rejects.toMatchObject({ code: 'name_taken', field: 'name' });
  }
});

test('a name that several projects have is refused as ambiguous, with how many have it', async () => {
  const { registry } = await open();
  const red = await registry.forwards.create(spec({ name: 'web', external_port: 1, project_id: 'red' }));
  expect(registry.forwards.find('web')).toEqual(red);
  await registry.forwards.create(spec({ name: 'web', external_port: 2, project_id: 'blue' }));
  expect(() => registry.forwards.find('web')).toThrow('web fits 2 forwards');
  await registry.forwards.remove(red.id);
  expect(registry.forwards.find('web').projectId).toBe('blue');
});

test('a forward that comes to another project takes its name along, unless it is taken there', async () => {
  const { registry, store } = await open();
  const { id } = await registry.forwards.create(spec({ name: 'web', external_port: 1, project_id: 'a/b' }));
  await registry.forwards.create(spec({ name: 'web', external_port: 2, project_id: 'blue' }));
  const taken = registry.forwards.update(id, (before) => ({ ...before, projectId: 'blue' }));
  await expect(taken).rejects.toMatchObject({ code: 'name_taken' });
  await registry.forwards.update(id, (before) => ({ ...before, projectId: null }));
  expect(await nameKeys(store)).toEqual(['names/web', 'names/web/blue']);
  await registry.forwards.create(spec({ name: 'web', external_port: 3, project_id: 'a/b' }));
});

test('what a batch wants is found by its name in its project', async () => {
  const { registry, store } = await open();
  const red = await registry.forwards.create(spec({ name: 'web', external_port: 1, project_id: 'red' }));
  const blue = await registry.forwards.create(spec({ name: 'web', external_port: 2, project_id: 'blue' }));
  const wanted = [
    { id: null, spec: spec({ name: 'web', external_port: 12, project_id: 'blue' }), times: null },
    { id: null, spec: spec({ name: 'web', external_port: 13 }), times: null },
  ];
  const plain = { prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false } as const;
  const { changes } = await registry.forwards.apply({ wanted, ...plain });
  expect(changes.map(({ before, id }) => [before?.projectId, id === blue.id])).toEqual([
    ['blue', true],
    [undefined, false],
  ]);
  expect(registry.forwards.get(red.id)).toEqual(red);
  expect(await nameKeys(store)).toEqual(['names/web', 'names/web/blue', 'names/web/red']);
  // Two that swap their projects, and so their names.
  await registry.forwards.apply({
    wanted: [
      { id: red.id, spec: { ...red, projectId: 'blue' }, times: null },
      { id: blue.id, spec: { ...blue, projectId: 'red' }, times: null },
    ],
    ...plain,
  });
  expect(registry.forwards.get(red.id)?.projectId).toBe('blue');
  const twice = [1, 2].map((port) => ({
    id: null,
    spec: spec({ name: 'mail', external_port: 20 + port, project_id: 'red' }),
    times: null,
  }));
  await expect(registry.forwards.apply({ wanted: twice, ...plain })).rejects.toMatchObject({
    code: 'name_taken',
    field: 'forwards.1.name',
  });
});

test('in a store from before, names of forwards with a project become names in that project', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hatoba-names-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'hatoba.db');
  makeSecond(file);
  const store = openSqliteStore(file);
  const registry = await openRegistry(store);
  expect(await nameKeys(store)).toEqual(['names/mail', 'names/web/a/b']);
  expect(registry.forwards.find('web').projectId).toBe('a/b');
  await registry.forwards.create(spec({ name: 'web', external_port: 30 }));
  const again = registry.forwards.create(spec({ name: 'web', external_port: 31, project_id: 'a/b' }));
  await expect(again).rejects.toMatchObject({ code: 'name_taken' });
  await registry.forwards.remove(idOf(1));
  expect(await nameKeys(store)).toEqual(['names/mail', 'names/web']);
  await registry.stop();
  await store.close();
});

/** As version 2 of the schema left it: a name was a key without a project. */
function makeSecond(file: string): void {
  const database = new DatabaseSync(file);
  for (const migration of MIGRATIONS.slice(0, 2)) database.exec(migration);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec('PRAGMA user_version = 2');
  const put = database.prepare('INSERT INTO entries (key, value, revision) VALUES (?, ?, ?)');
  const log = database.prepare('INSERT INTO changes (revision, key, deleted) VALUES (?, ?, 0)');
  const forwards = [
    spec({ name: 'web', external_port: 1, project_id: 'a/b' }),
    spec({ name: 'mail', external_port: 2 }),
    spec({ external_port: 3, project_id: 'red' }),
  ];
  for (const [at, wish] of forwards.entries()) {
    const [id, time, revision] = [idOf(at + 1), '2026-01-01T00:00:00.000Z', at + 1];
    const name = wish.name === null ? [] : [[`names/${wish.name}`, JSON.stringify(id)]];
    const value = writeForward({ id, spec: wish, createdAt: time, updatedAt: time });
    for (const [key = '', text = ''] of [[`forwards/r1/${id}`, value], ['guards/r1', '{}'], ...name]) {
      database.prepare('DELETE FROM entries WHERE key = ?').run(key);
      put.run(key, text, revision);
      log.run(revision, key);
    }
  }
  database.close();
}
