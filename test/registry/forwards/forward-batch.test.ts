import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { conflict } from '../../../src/model/conflicts.ts';
import type { ErrorCode } from '../../../src/model/error-catalogue.ts';
import { HatobaError } from '../../../src/model/errors.ts';
import { type Forward, type ForwardInput, printForwardSpec } from '../../../src/model/forward.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { BatchOutcome, ForwardBatch, Registry, WantedForward } from '../../../src/registry/registry.ts';
import { idOf } from '../../model/arbitraries.ts';
import { processorTimeOf } from '../../support/processor-time.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

let store: TemporaryStore;
let registry: Registry;
beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
});
afterEach(async () => {
  await registry.stop();
  await store.remove();
});

function item(input: Partial<ForwardInput> = {}, id: string | null = null): WantedForward {
  return { id, spec: spec(input), times: null };
}

function apply(wanted: readonly WantedForward[], options: Partial<ForwardBatch> = {}): Promise<BatchOutcome> {
  const plain = { prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false } as const;
  return registry.forwards.apply({ wanted, ...plain, ...options });
}

/** `name port` of each, oldest first. */
function there(): readonly string[] {
  return registry.forwards.list().map(({ name, externalPorts }) => `${name} ${externalPorts.first}`);
}

function named(name: string): Forward {
  return registry.forwards.find(name);
}

async function refusal(work: Promise<unknown>): Promise<{ code: ErrorCode; field: string | undefined; text: string }> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HatobaError)) throw new Error('it was not refused', { cause: error });
  return { code: error.code, field: error.field, text: error.message };
}

describe('which forward an item is about', () => {
  test('the one of its id, whatever else it says', async () => {
    await apply([item({ name: 'first' }), item({ name: 'second', external_port: 5002 })]);
    const { id } = named('first');
    const outcome = await apply([item({ name: 'third', external_port: 5003, router: 'r2' }, id)]);
    expect(outcome.changes.map((change) => change.id)).toEqual([id]);
    expect(there().toSorted()).toEqual(['second 5002', 'third 5003']);
    expect(named('third').router).toBe('r2');
  });

  test('a new one of that id where there is none', async () => {
    await apply([item({}, idOf(7))]);
    expect(registry.forwards.get(idOf(7))?.name).toBeNull();
  });

  test('without an id the one of its name, though another is at its place', async () => {
    await apply([item({ name: 'web', external_port: 80 }), item({ external_port: 81 })]);
    const { id } = named('web');
    const swapped = await apply([item({ external_port: 80 }), item({ name: 'web', external_port: 81 })], {
      prunes: () => true,
    });
    expect(swapped.changes.map(({ before, after }) => [before?.name, after?.name])).toEqual([
      [undefined, null],
      ['web', 'web'],
      [null, undefined],
    ]);
    expect(named('web').id).toBe(id);
  });

  test('without both, or with a name nobody has, the one at its place', async () => {
    await apply([item({ external_port: 80 })]);
    const [first] = registry.forwards.list();
    await apply([item({ name: 'web', external_port: 80, internal_port: 8080 })]);
    expect(named('web').id).toBe(first?.id);
    await apply([item({ external_port: 80 })]);
    expect(registry.forwards.list().map(({ id, name }) => [id, name])).toEqual([[first?.id, null]]);
  });

  test('but a name is not taken from one forward for another', async () => {
    await apply([item({ name: 'web', external_port: 80 })]);
    const refused = await refusal(apply([item({ name: 'other', external_port: 80 })]));
    expect(refused).toMatchObject({ code: 'forward_conflict', field: 'forwards.0.external_port' });
    expect(refused.text).toContain('by forward web');
  });

  test('places differ by family, also on the gateway', async () => {
    await apply([item()]);
    await apply([item({ internal_address: 'fd00::1' })]);
    expect(registry.forwards.list()).toHaveLength(2);
  });

  test('no forward is there twice', async () => {
    await apply([item({ name: 'web' })]);
    const { id } = named('web');
    expect(await refusal(apply([item({}, id), item({ external_port: 5002 }, id)]))).toMatchObject({
      code: 'item_repeated',
      field: 'forwards.1.id',
    });
    const twice = [item({ name: 'a-name' }), item({ name: 'a-name', external_port: 5002 })];
    expect(await refusal(apply(twice))).toMatchObject({ code: 'name_taken', field: 'forwards.1.name' });
    expect(await refusal(apply([item({ external_port: 99 }), item({ external_port: 99 })]))).toMatchObject({
      code: 'forward_conflict',
      field: 'forwards.1.external_port',
      text: 'tcp port 99 on gateway already leads elsewhere, by forwards.0 of the same request',
    });
  });
});

describe('what counts is the end', () => {
  test('two swap their ports', async () => {
    await apply([item({ name: 'one', external_port: 1 }), item({ name: 'two', external_port: 2 })]);
    const ids = [named('one').id, named('two').id];
    await apply([item({ name: 'two', external_port: 1 }), item({ name: 'one', external_port: 2 })]);
    expect(there()).toEqual(['one 2', 'two 1']);
    expect([named('one').id, named('two').id]).toEqual(ids);
  });

  test('two swap their names, across routers, and a third one takes over a name', async () => {
    await apply([item({ name: 'one' }), item({ name: 'two', router: 'r2' }), item({ name: 'three', router: 'r3' })]);
    const [one, two, three] = [named('one').id, named('two').id, named('three').id];
    await apply([item({ name: 'two' }, one), item({ name: 'one', router: 'r2' }, two)]);
    expect([named('one').id, named('two').id]).toEqual([two, one]);
    await apply([item({ router: 'r2' }, two), item({ name: 'one', router: 'r3' }, three)]);
    expect(named('one').id).toBe(three);
    const again = await openRegistry(store);
    expect(again.forwards.list()).toEqual(registry.forwards.list());
    await again.stop();
    // The names that are free are free in the store, too.
    await registry.forwards.create(spec({ name: 'three', external_port: 6000 }));
  });

  test('a place is free for one that comes where its owner goes', async () => {
    await apply([item({ name: 'old' })]);
    const outcome = await apply([item({ name: 'new' })], { prunes: ({ router }) => router === 'r1' });
    expect(outcome.changes.map(({ before, after }) => [before?.name, after?.name])).toEqual([
      [undefined, 'new'],
      ['old', undefined],
    ]);
    expect(there()).toEqual(['new 5001']);
  });
});

test('all or nothing', async () => {
  await apply([item({ name: 'there' })]);
  const before = [registry.forwards.revision(), registry.forwards.list()];
  const wanted = [item({ external_port: 1 }), item({ external_port: 5001 }, idOf(1)), item({ external_port: 2 })];
  expect((await refusal(apply(wanted))).field).toBe('forwards.1.external_port');
  expect([registry.forwards.revision(), registry.forwards.list()]).toEqual(before);
});

test('a dry run tells the same and changes nothing', async () => {
  await apply([
    item({ name: 'stays' }),
    item({ name: 'goes', external_port: 1 }),
    item({ name: 'changes', external_port: 2 }),
  ]);
  const wanted = [item({ name: 'stays' }), item({ name: 'changes', external_port: 3 }), item({ external_port: 4 })];
  const before = registry.forwards.revision();
  const dry = await apply(wanted, { dryRun: true, prunes: () => true });
  expect([dry.revision, registry.forwards.revision()]).toEqual([before, before]);
  expect(dry.unchanged).toBe(1);
  expect(dry.changes.map(({ id }) => id)).toEqual([named('changes').id, null, named('goes').id]);
  const real = await apply(wanted, { prunes: () => true });
  expect({
    ...real,
    revision: before,
    changes: real.changes.map((change, n) => ({ ...change, id: dry.changes[n]?.id })),
  }).toEqual(dry);
  expect(real.revision).toBe(before + 1);
});

test('what changes nothing takes no revision', async () => {
  const wanted = [item({ name: 'web' }), item({ external_port: 2 })];
  const { revision } = await apply(wanted);
  expect(await apply(wanted)).toEqual({ revision, changes: [], unchanged: 2 });
  expect(await apply([])).toEqual({ revision, changes: [], unchanged: 0 });
});

test('new forwards are as old as their order says', async () => {
  await apply(Array.from({ length: 300 }, (_, n) => item({ external_port: 1 + ((n * 7919) % 300) })));
  const ports = registry.forwards.list().map(({ externalPorts }) => externalPorts.first);
  expect(ports).toEqual(Array.from({ length: 300 }, (_, n) => 1 + ((n * 7919) % 300)));
});

describe('a gateway that is also named outright', () => {
  beforeEach(async () => {
    await registry.statuses.publish(
      'n1',
      [
        {
          router: 'r1',
          node: 'n1',
          instances: [],
          gateways: { 4: parseAddress('192.0.2.1') },
          revision: 0,
          at: '2026-01-01T00:00:00.000Z',
          problems: {},
          error: null,
        },
      ],
      [],
    );
  });

  test('is a conflict for what is applied, not for what is restored', async () => {
    const wanted = [item({}, idOf(1)), item({ external_address: '192.0.2.1' }, idOf(2))];
    expect(await refusal(apply(wanted))).toMatchObject({ code: 'forward_conflict', field: 'forwards.1.external_port' });
    await apply(wanted, { kind: 'restore' });
    expect(registry.forwards.list()).toHaveLength(2);
    // What is in conflict already can still be changed in all other respects.
    await apply([
      item({ internal_port: 7 }, idOf(1)),
      item({ external_address: '192.0.2.1', enabled: false }, idOf(2)),
    ]);
    expect(registry.forwards.get(idOf(1))?.internalPorts.first).toBe(7);
  });
});

test('times are restored, and only into an empty store unless said otherwise', async () => {
  const times = { createdAt: '2020-01-01T00:00:00.000Z', updatedAt: '2021-01-01T00:00:00.000Z' };
  const restored = { ...item({ name: 'web' }, idOf(1)), times };
  await apply([item({ name: 'web' }), item({ external_port: 2 })]);
  const options = { kind: 'restore', intoEmpty: true, prunes: () => true } as const;
  expect(await refusal(apply([restored], options))).toMatchObject({ code: 'store_not_empty' });
  await apply([restored], { ...options, intoEmpty: false });
  expect(registry.forwards.list()).toMatchObject([{ id: idOf(1), name: 'web', ...times }]);
});

test('two registries on one store decide one after the other', async () => {
  const other = await openRegistry(store);
  const batch = (port: number, router: string): ForwardBatch => ({
    wanted: [item({ external_port: port, router, name: `n${port}` }), item({ external_port: port + 1, router })],
    prunes: (forward) => forward.router === router,
    dryRun: false,
    kind: 'apply',
    intoEmpty: false,
  });
  await Promise.all(
    [10, 20, 30, 40].map((port, n) => (n % 2 === 0 ? registry : other).forwards.apply(batch(port, 'r1'))),
  );
  const outcome = await registry.forwards.apply({ ...batch(50, 'r2'), prunes: () => false });
  await expect.poll(() => other.forwards.revision()).toBe(outcome.revision);
  expect(other.forwards.list()).toEqual(registry.forwards.list());
  expect(registry.forwards.ofRouter('r1').size).toBe(2);
  await other.stop();
});

test('many forwards take time by their number, not by its square', async () => {
  const count = 20_000;
  const wanted = Array.from({ length: count }, (_, n) => {
    const port = 1 + (n % 1000) * 10;
    const external_address = `203.0.${n % 2}.${Math.floor(n / 1000) + 1}`;
    return item({ external_address, external_port: `${port}-${port + 9}`, name: `f${n}` });
  });
  const few = await processorTimeOf(() => applyTwice(wanted.slice(0, count / 10)));
  const all = await processorTimeOf(() => applyTwice(wanted));
  // By its square, it would be a hundred times as much.
  expect(all).toBeLessThan(40 * few);
});

/** The second time, nothing is left to be done. */
async function applyTwice(wanted: Parameters<typeof apply>[0]): Promise<void> {
  expect((await apply(wanted)).changes.length).toBeGreaterThan(0);
  expect((await apply(wanted)).unchanged).toBe(wanted.length);
}

// Few of everything, so that nearly every item meets another.
const wish = fc
  .record({
    router: fc.constantFrom('r1', 'r2'),
    external_port: fc.constantFrom('1', '2', '3', '4', '1-2', '3-4'),
    external_address: fc.constantFrom('gateway', '203.0.113.7'),
    name: fc.constantFrom(null, null, 'one', 'two', 'three'),
    sources: fc.constantFrom([], [], ['192.0.2.0/25'], ['192.0.2.128/25']),
  })
  .map((input) => item(input));

const batches = fc.array(
  fc.record({
    wanted: fc.array(fc.record({ wish, by: fc.option(fc.nat(10)) }), { maxLength: 6 }),
    prune: fc.constantFrom('none', 'r1', 'all'),
  }),
  { maxLength: 8 },
);

test('any batch leaves what is wanted and nothing that conflicts, or is refused and leaves everything', async () => {
  const outcomes = { done: 0, forward_conflict: 0, name_taken: 0, item_repeated: 0 };
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      await apply([], { prunes: () => true });
      for (const { wanted, prune } of all) {
        const before = registry.forwards.list();
        const ids = wanted.map(({ by }) => (by === null ? null : (before[by]?.id ?? idOf(by))));
        const items = wanted.map((each, n) => ({ ...each.wish, id: ids[n] ?? null }));
        const prunes = (forward: Forward) => prune === 'all' || forward.router === prune;
        const outcome = await apply(items, { prunes }).then(
          (done) => done,
          (error: unknown) => {
            if (error instanceof HatobaError) return error.code;
            throw error;
          },
        );
        if (typeof outcome === 'string') {
          expect(registry.forwards.list()).toEqual(before);
          expect(Object.keys(outcomes)).toContain(outcome);
        } else expectEnd(before, items, prunes, outcome);
        if (typeof outcome !== 'string') outcomes.done++;
        else if (outcome === 'forward_conflict' || outcome === 'name_taken' || outcome === 'item_repeated')
          outcomes[outcome]++;
      }
      const again = await openRegistry(store);
      expect(again.forwards.list()).toEqual(registry.forwards.list());
      await again.stop();
    }),
    { numRuns: 150 },
  );
  for (const [outcome, count] of Object.entries(outcomes)) expect([outcome, count > 10]).toEqual([outcome, true]);
});

function expectEnd(
  before: readonly Forward[],
  items: readonly WantedForward[],
  prunes: (forward: Forward) => boolean,
  { changes, unchanged }: BatchOutcome,
): void {
  const after = registry.forwards.list();
  const print = (forwards: readonly WantedForward['spec'][]) =>
    forwards.map((forward) => JSON.stringify(printForwardSpec(forward))).sort();
  const touched = new Set(changes.map(({ id }) => id));
  const wanted = print(items.map((each) => each.spec));
  const kept = after.filter(({ id }) => !touched.has(id));
  // Whoever is not touched was there before, as it is, and is wanted or not to be pruned.
  for (const forward of kept) {
    expect(before).toContain(forward);
    expect(wanted.includes(print([forward])[0] ?? '') || !prunes(forward)).toBe(true);
  }
  for (const gone of before.filter(({ id }) => registry.forwards.get(id) === undefined)) {
    expect(touched.has(gone.id) && prunes(gone)).toBe(true);
  }
  for (const text of wanted) expect(print(after)).toContain(text);
  expect(changes.filter((change) => change.after !== null).length + unchanged).toBe(items.length);
  for (const [n, a] of after.entries()) {
    for (const b of after.slice(n + 1)) {
      expect(conflict(a, b, {})).toBe(false);
      expect(a.name !== null && a.name === b.name).toBe(false);
    }
  }
}
