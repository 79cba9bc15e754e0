import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseGrants } from '../../src/model/grants.ts';
import { createChangeJournal } from '../../src/registry/change-journal.ts';
import { type OpenRegistry, openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry, RegistryChange } from '../../src/registry/registry.ts';
import type { Store } from '../../src/store/store.ts';
import { spec } from './specs.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

const COUNT = 300;

let store: TemporaryStore;
beforeEach(() => {
  store = openTemporaryStore();
});
afterEach(() => store.remove());

/** The store, counting how often and how many values are read from its log. */
function counted() {
  const reads = { watches: 0, values: 0 };
  const watch: Store['watch'] = async function* watch(...wanted) {
    reads.watches++;
    for await (const change of store.watch(...wanted)) {
      reads.values += change.changes.length;
      yield change;
    }
  };
  return { reads, store: { ...store, watch } };
}

function applyMany({ forwards }: OpenRegistry, project: string | null = null, count = COUNT) {
  const wanted = Array.from({ length: count }, (_, at) => ({
    id: null,
    spec: spec({ external_port: at + 1, project_id: project }),
    times: null,
  }));
  return forwards.apply({ wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false });
}

/** The parts of all revisions after one, up to another. */
async function read(registry: Registry, after: number, to: number): Promise<readonly RegistryChange[]> {
  const parts: RegistryChange[] = [];
  for await (const part of registry.changes(after, new AbortController().signal)) {
    parts.push(part);
    if (part.revision >= to && part.isLast) return parts;
  }
  return parts;
}

test('a revision is read from the store once, however many follow, and told in small parts', async () => {
  const { reads, store: counting } = counted();
  const registry = await openRegistry(counting);
  const after = registry.forwards.revision();
  const { revision } = await applyMany(registry);
  const values = reads.values;
  const told = await Promise.all(Array.from({ length: 20 }, () => read(registry, after, revision)));
  expect(reads).toEqual({ watches: 1, values });
  for (const parts of told) {
    expect(Math.max(...parts.map(({ forwards, routers }) => forwards.length + routers.length))).toBeLessThanOrEqual(32);
    const ids = parts.flatMap(({ forwards }) => forwards.map(({ id }) => id));
    expect(ids.toSorted()).toEqual(
      registry.forwards
        .list()
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(parts.map(({ isLast }) => isLast)).toEqual([...parts.slice(1).map(() => false), true]);
    expect(parts.flatMap(({ routers }) => routers)).toHaveLength(1);
  }
  await registry.stop();
});

test('what changed before a start is read from the store once for all who ask for it', async () => {
  const before = await openRegistry(store);
  await applyMany(before);
  await before.stop();
  const { reads, store: counting } = counted();
  const registry = await openRegistry(counting);
  const revision = registry.forwards.revision();
  const told = await Promise.all(Array.from({ length: 5 }, () => read(registry, 0, revision)));
  for (const parts of told) expect(parts.flatMap(({ forwards }) => forwards)).toHaveLength(COUNT);
  // One for the registry itself.
  expect(reads.watches).toBe(2);
  await registry.stop();
});

test('a project is told of its own, and of what has left it', async () => {
  const registry = await openRegistry(store);
  const after = registry.forwards.revision();
  const [red, blue] = ['red', 'blue'].map((project) => registry.within({ project, grants: parseGrants([]) }));
  await applyMany(registry, 'red', 40);
  const [first] = registry.forwards.list();
  if (first === undefined || red === undefined || blue === undefined) throw new Error('nothing was made');
  const own = await registry.forwards.create(spec({ external_port: 5_000, project_id: 'blue' }));
  const moved = await registry.forwards.update(first.id, (before) => ({ ...before, projectId: 'blue' }));
  const toldBlue = await read(blue, after, moved.revision);
  expect(toldBlue.flatMap(({ forwards }) => forwards.map(({ id }) => id))).toEqual([own.id, first.id]);
  const toldRed = (await read(red, after, moved.revision)).flatMap(({ forwards }) => forwards);
  expect(toldRed.filter(({ id }) => id === first.id).at(-1)?.forward).toBeNull();
  expect(new Set(toldRed.map(({ id }) => id)).size).toBe(40);
  await registry.stop();
});

test('the oldest revisions are forgotten, by their number and by the number of items', async () => {
  const revisions = createChangeJournal(store, () => undefined, { keptRevisions: 10, mostItems: 1_000 });
  const items = createChangeJournal(store, () => undefined, { keptRevisions: 1_000, mostItems: 100 });
  const { signal } = new AbortController();
  for (const journal of [revisions, items]) {
    journal.apply([], 100)();
    for (let revision = 101; revision <= 130; revision++) {
      const changes = Array.from({ length: 10 }, (_, at) => ({
        key: `forwards/r1/${revision}-${at}`,
        value: null,
        revision,
      }));
      journal.apply(changes, revision)();
    }
    await expect(journal.follow(100, signal).next()).rejects.toMatchObject({ code: 'store_compacted' });
    const next = await journal.follow(125, signal).next();
    expect(next.value).toMatchObject({ revision: 126, part: 0, isLast: true });
  }
});

test('a revision that is larger than all that is kept is there for those who are told of it', async () => {
  const journal = createChangeJournal(store, () => undefined, { mostItems: 100 });
  const { signal } = new AbortController();
  journal.apply([], 1)();
  const changes = Array.from({ length: 500 }, (_, at) => ({ key: `forwards/r1/${at}`, value: null, revision: 2 }));
  journal.apply(changes, 2)();
  let count = 0;
  for await (const piece of journal.follow(1, signal)) {
    count += piece.items.filter(({ kind }) => kind === 'forward').length;
    if (piece.isLast) break;
  }
  expect(count).toBe(500);
});
