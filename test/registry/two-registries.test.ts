import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conflict } from '../../src/model/conflicts.ts';
import { HatobaError } from '../../src/model/errors.ts';
import type { Forward, ForwardSpec } from '../../src/model/forward.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Store } from '../../src/store/store.ts';
import { spec } from './specs.ts';
import { openTemporaryStore } from './temporary-store.ts';

// Few of everything, so that nearly every step meets another.
const wish = fc
  .record({
    router: fc.constantFrom('r1', 'r2'),
    external_port: fc.integer({ min: 1, max: 4 }),
    external_address: fc.constantFrom('gateway', '203.0.113.7'),
    name: fc.constantFrom(null, null, 'a', 'b'),
    enabled: fc.boolean(),
  })
  .map(spec);

interface Step {
  readonly registry: number;
  readonly what: string;
  readonly which: number;
  readonly wish: ForwardSpec;
  /** Whether to wait for the steps so far; otherwise this one races with them. */
  readonly pause: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  registry: fc.nat(1),
  what: fc.constantFrom('create', 'create', 'update', 'remove'),
  which: fc.nat(20),
  wish,
  pause: fc.boolean(),
});

const EXPECTED_REFUSALS = ['forward_conflict', 'name_taken', 'forward_not_found'];

test('two registries on one store never let two forwards overlap, and end with the same index', async () => {
  const outcomes: string[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = openTemporaryStore();
      try {
        outcomes.push(...(await takeAll(store, steps)));
      } finally {
        await store.remove();
      }
    }),
    { numRuns: 400 },
  );
  // The steps really do meet each other.
  for (const wanted of ['done', ...EXPECTED_REFUSALS]) {
    expect(outcomes.filter((outcome) => outcome === wanted).length).toBeGreaterThan(20);
  }
});

test('neither of two that change the same router at once waits for ever', async () => {
  const store = openTemporaryStore();
  const registries = [await openRegistry(store), await openRegistry(store)];
  const created = registries.map((registry, which) =>
    Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        registry.forwards.create(spec({ external_port: 1 + which + 2 * index })),
      ),
    ),
  );
  expect((await Promise.all(created)).map((forwards) => forwards.length)).toEqual([100, 100]);
  for (const registry of registries) {
    expect(registry.forwards.ofRouter('r1').size).toBe(200);
    await registry.stop();
  }
  await store.remove();
});

/** Takes the steps, checks what they lead to, and gives how each ended. */
async function takeAll(store: Store, steps: readonly Step[]): Promise<string[]> {
  const registries = [await openRegistry(store), await openRegistry(store)] as const;
  const running: Promise<string>[] = [];
  for (const { registry, what, which, wish, pause } of steps) {
    if (pause) await Promise.all(running);
    running.push(take(registries[registry] ?? registries[0], what, which, wish));
  }
  const outcomes = await Promise.all(running);
  const fresh = await openRegistry(store);
  for (const registry of registries) {
    while (registry.forwards.revision() < fresh.forwards.revision()) await nextTurn();
    expectSame(registry, fresh);
  }
  expectNoOverlap(fresh.forwards.list());
  expectKeysOf(
    fresh.forwards.list(),
    (await store.read('')).entries.map(({ key }) => key),
  );
  for (const registry of [...registries, fresh]) await registry.stop();
  return outcomes;
}

async function take({ forwards }: Registry, what: string, which: number, wish: ForwardSpec): Promise<string> {
  const known = forwards.list();
  const id = known[which % Math.max(known.length, 1)]?.id ?? 'none';
  try {
    if (what === 'create') expect(forwards.get((await forwards.create(wish)).id)).toMatchObject(wish);
    else if (what === 'update') await forwards.update(id, () => wish);
    else await forwards.remove(id);
    return 'done';
  } catch (error) {
    if (error instanceof HatobaError && EXPECTED_REFUSALS.includes(error.code)) return error.code;
    throw error;
  }
}

function expectSame(one: Registry, other: Registry): void {
  expect(one.forwards.list()).toEqual(other.forwards.list());
  for (const router of ['r1', 'r2']) expect(one.forwards.ofRouter(router)).toEqual(other.forwards.ofRouter(router));
  for (const { id, name } of other.forwards.list()) expect(one.forwards.find(name ?? id).id).toBe(id);
}

function expectNoOverlap(forwards: readonly Forward[]): void {
  for (const [index, forward] of forwards.entries()) {
    for (const other of forwards.slice(index + 1)) expect(conflict(forward, other, {})).toBe(false);
  }
  const names = forwards.flatMap(({ name }) => name ?? []);
  expect(new Set(names).size).toBe(names.length);
}

/** The store has a record per forward, one per name, a guard per router in use, and nothing else. */
function expectKeysOf(forwards: readonly Forward[], keys: readonly string[]): void {
  const wanted = forwards.flatMap(({ id, name, router }) => [
    `forwards/${router}/${id}`,
    `guards/${router}`,
    ...(name === null ? [] : [`names/${name}`]),
  ]);
  // No node has told that it knows of removals.
  expect(new Set(keys.filter((key) => !key.startsWith('removals/')))).toEqual(new Set(wanted));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
