import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { ForwardsChange } from '../../src/registry/registry.ts';
import type { Store } from '../../src/store/store.ts';
import { spec } from './specs.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

let store: TemporaryStore;

beforeEach(() => {
  store = openTemporaryStore({ keptRevisions: 10 });
});

afterEach(() => store.remove());

describe('a record that cannot be read', () => {
  const id = 'b6cb9a84-7a2a-4f6b-9a4e-0f8c7f0f5a01';

  test.each([
    ['is not JSON', `forwards/r1/${id}`, '{'],
    ['is not an object', `forwards/r1/${id}`, '[]'],
    ['lacks fields', `forwards/r1/${id}`, '{"name":null}'],
    ['is a status without a router', 'statuses/r1/node1', '{}'],
  ])('%s: the key is named, and nothing is changed', async (_, key, value) => {
    await store.commit({ puts: [{ key, value }] });
    await expect(openRegistry(store)).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining(key),
    });
    expect((await store.read('')).entries).toEqual([{ key, value, revision: 1 }]);
  });

  test.each([
    ['internal_address', '192.168.50.999'],
    ['external_port', '0'],
    ['router', 'r2'],
    ['id', 'c6cb9a84-7a2a-4f6b-9a4e-0f8c7f0f5a01'],
    ['enabled', 'yes'],
    ['sources', ''],
    ['labels', { a: 1 }],
    ['created_at', null],
  ])('a forward whose %s is %j', async (field, wrong) => {
    const registry = await openRegistry(store);
    const forward = await registry.forwards.create(spec());
    await registry.stop();
    const [entry] = (await store.read('forwards/')).entries;
    if (entry === undefined) throw new Error('the forward was not stored');
    const record: unknown = JSON.parse(entry.value);
    const damaged = JSON.stringify(Object.assign({}, record, { [field]: wrong }));
    await store.commit({ puts: [{ key: entry.key, value: damaged }] });
    await expect(openRegistry(store)).rejects.toMatchObject({
      code: 'store_unreadable',
      message: expect.stringContaining(forward.id),
    });
  });

  test('that comes in later ends the registry, loudly', async () => {
    const errors: unknown[] = [];
    const registry = await openRegistry(store, { onError: (error) => errors.push(error) });
    await store.commit({ puts: [{ key: `forwards/r1/${id}`, value: '{' }] });
    await untilThereIs(errors);
    expect(errors).toMatchObject([{ code: 'store_unreadable' }]);
    await expect(registry.forwards.create(spec())).rejects.toMatchObject({ code: 'store_failed' });
    await expect(registry.statuses.publish('node1', [], [])).rejects.toMatchObject({ code: 'store_failed' });
    await registry.stop();
  });
});

test('records of nouns it does not know are none of its business', async () => {
  await store.commit({ puts: [{ key: 'peers/1', value: '{' }] });
  const registry = await openRegistry(store);
  expect(registry.forwards.revision()).toBe(1);
  await registry.stop();
});

test('after changes that were compacted away it reads again and tells what is different', async () => {
  const other = await openRegistry(store);
  const kept = await other.forwards.create(spec({ external_port: 1 }));
  const removed = await other.forwards.create(spec({ external_port: 2 }));
  const changed = await other.forwards.create(spec({ external_port: 3 }));
  await other.statuses.publish('node1', [status('r1'), status('r2')], []);

  const gate = createGate();
  const registry = await openRegistry({ ...store, watch: gate.hold(store) });
  const changes: ForwardsChange[] = [];
  registry.forwards.subscribe((change) => changes.push(change));
  await other.forwards.remove(removed.id);
  await other.forwards.update(changed.id, (before) => ({ ...before, enabled: false }));
  const created = await other.forwards.create(spec({ router: 'r3' }));
  await other.statuses.publish('node1', [], ['r2']);
  for (let count = 0; count < 40; count++) await store.commit({ puts: [{ key: 'noise', value: '0' }] });
  gate.open();
  await untilThereIs(changes);

  expect(changes.map(({ touched }) => touched.map(({ id }) => id).toSorted())).toEqual([
    [removed.id, changed.id, created.id].toSorted(),
  ]);
  expect(registry.forwards.list()).toEqual(other.forwards.list());
  expect(registry.forwards.get(kept.id)).toEqual(kept);
  expect(registry.statuses.routers()).toEqual(['r1']);
  expect((await registry.forwards.create(spec({ router: 'r3', external_port: 9 }))).router).toBe('r3');
  await registry.stop();
  await other.stop();
});

test('a store that is closed under it ends the registry, loudly', async () => {
  const errors: unknown[] = [];
  const registry = await openRegistry(store, { onError: (error) => errors.push(error) });
  await store.close();
  await untilThereIs(errors);
  expect(errors).toMatchObject([{ code: 'store_failed' }]);
  await registry.stop();
});

test('stop lets changes that were asked for before finish, and refuses later ones', async () => {
  const registry = await openRegistry(store);
  const created = Array.from({ length: 5 }, (_, index) => registry.forwards.create(spec({ external_port: 1 + index })));
  await registry.stop();
  expect(await Promise.all(created)).toHaveLength(5);
  await expect(registry.forwards.create(spec())).rejects.toMatchObject({ code: 'store_failed' });
  expect((await store.read('forwards/')).entries).toHaveLength(5);
});

test('a change that loses against others again and again gives up in the end', async () => {
  const registry = await openRegistry(store);
  let others = 0;
  const contended: Store = {
    ...store,
    async commit(commit) {
      await store.commit({ puts: [{ key: 'guards/r1', value: String(others++) }] });
      return store.commit(commit);
    },
  };
  const loser = await openRegistry(contended);
  await expect(loser.forwards.create(spec())).rejects.toMatchObject({ code: 'store_contended' });
  expect(registry.forwards.list()).toEqual([]);
  await loser.stop();
  await registry.stop();
});

/** Holds a watch back before its first change. */
function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    open: resolve,
    hold: (held: Store): Store['watch'] =>
      async function* watch(prefix, after, signal) {
        await promise;
        yield* held.watch(prefix, after, signal);
      },
  };
}

async function untilThereIs(list: readonly unknown[]): Promise<void> {
  while (list.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

function status(router: string) {
  const at = '2026-01-01T00:00:00.000Z';
  return { router, node: 'node1', instances: [], gateways: {}, revision: 0, at, problems: {}, error: null };
}
