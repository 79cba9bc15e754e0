import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removalCommit } from '../../../src/registry/forwards/removal-commit.ts';
import { createRemovalIndex } from '../../../src/registry/forwards/removal-index.ts';
import { type OpenRegistry, openRegistry } from '../../../src/registry/open-registry.ts';
import { report } from '../../api/api-under-test.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

const ROUTER = 'edge-1';

let store: TemporaryStore;
let registry: OpenRegistry;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
});

afterEach(async () => {
  await registry.stop();
  await store.remove();
});

/** What takes a forward away. */
const WAYS: readonly { readonly what: string; readonly takeAway: (id: string) => Promise<unknown> }[] = [
  { what: 'removed', takeAway: (id) => registry.forwards.remove(id) },
  { what: 'removed and drained', takeAway: (id) => registry.forwards.remove(id, undefined, { drain: true }) },
  {
    what: 'pruned',
    takeAway: () =>
      registry.forwards.apply({ wanted: [], prunes: () => true, dryRun: false, kind: 'apply', intoEmpty: false }),
  },
];

describe.each(WAYS)('a forward that is $what', ({ takeAway }) => {
  test('is known from then on, to registries that open later, too', async () => {
    const { id } = await registry.forwards.create(spec({ router: ROUTER }));
    expect(registry.forwards.isKnown(id)).toBe(true);
    await takeAway(id);
    expect(registry.forwards.isKnown(id)).toBe(true);
    await registry.statuses.publish('n1', [report(registry.forwards.revision(), { router: ROUTER })], []);
    await registry.stop();
    registry = await openRegistry(store);
    expect(registry.forwards.get(id)).toBeUndefined();
    expect(registry.forwards.isKnown(id)).toBe(true);
  });
});

test('a forward that moved to another router and was removed there is known', async () => {
  const { id } = await registry.forwards.create(spec({ router: ROUTER }));
  await registry.forwards.update(id, (before) => ({ ...before, router: 'edge-2' }));
  await registry.forwards.remove(id);
  expect(registry.forwards.isKnown(id)).toBe(true);
});

test('a forward that the store never had is not known', async () => {
  const { id } = await registry.forwards.create(spec({ router: ROUTER }));
  const other = openTemporaryStore();
  const young = await openRegistry(other);
  expect(young.forwards.isKnown(id)).toBe(false);
  await young.stop();
  await other.remove();
});

const removed = (count: number) =>
  Array.from({ length: count }, () => ({ before: { id: randomUUID(), router: ROUTER }, after: null }));

test('what is remembered is bounded: the oldest are forgotten', async () => {
  const index = createRemovalIndex();
  const commit = (count: number, now: number) => {
    const { puts, deletes } = removalCommit(index, removed(count), now);
    for (const key of deletes) index.remove(key);
    for (const { key, value } of puts) index.put({ key, ids: JSON.parse(value).ids, revision: now });
  };
  commit(1, 1);
  const [first] = index.all();
  for (let now = 2; now <= 20; now++) commit(1_000, now);
  expect(index.has(first?.ids[0] ?? '')).toBe(true);
  commit(1_000, 21);
  expect([index.has(first?.ids[0] ?? ''), index.count()]).toEqual([false, 20_000]);
  commit(50_000, 22);
  expect(index.count()).toBe(50_000);
  commit(1, 23);
  expect(index.count()).toBe(10_001);
});

test('a removal of very many is several values, and what removes nothing is none', () => {
  const { puts } = removalCommit(createRemovalIndex(), removed(25_000));
  expect(puts.map(({ value }) => JSON.parse(value).ids.length)).toEqual([10_000, 10_000, 5_000]);
  const unmoved = { before: { id: randomUUID(), router: ROUTER }, after: ROUTER };
  expect(removalCommit(createRemovalIndex(), [unmoved, { before: null, after: ROUTER }])).toEqual({
    puts: [],
    deletes: [],
  });
});
