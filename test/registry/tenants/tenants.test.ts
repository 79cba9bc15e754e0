import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HatobaError } from '../../../src/model/errors.ts';
import type { Forward } from '../../../src/model/forward.ts';
import { parseGrants } from '../../../src/model/grants.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { ForwardsChange, Registry, RegistryChange } from '../../../src/registry/registry.ts';
import { createDepartures } from '../../../src/registry/tenants/departures.ts';
import { idOf } from '../../model/arbitraries.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

const GRANTS = parseGrants([
  { project: 'red', quota: 2, external_ports: '1-5', routers: [{ router: 'r1' }, { router: 'r2' }] },
  { project: 'blue', routers: [{ router: '*' }] },
]);

/** What is of others, and appears in nothing that red is told: each has marks of its own. */
const OWNERS = [
  { project: 'red', mark: 'mark-of-red' },
  { project: 'blue', mark: 'mark-of-blue' },
  { project: null, mark: 'mark-of-nobody' },
] as const;

const step = fc.record({
  who: fc.constantFrom('red', 'red', 'red', 'blue', 'operator'),
  what: fc.oneof(
    { weight: 2, arbitrary: fc.constant('create' as const) },
    fc.constantFrom('create', 'update', 'remove', 'apply', 'apply', 'find', 'give'),
  ),
  which: fc.nat(20),
  owner: fc.constantFrom(...OWNERS),
  router: fc.constantFrom('r1', 'r1', 'r2', 'r3'),
  port: fc.integer({ min: 1, max: 6 }),
  name: fc.constantFrom(null, null, 'web'),
  prune: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

test('whatever a project does, it changes and is told nothing of others', async () => {
  const outcomes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
      const store = openTemporaryStore();
      try {
        for (const outcome of await takeAll(store, steps)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      } finally {
        await store.remove();
      }
    }),
    { numRuns: 100 },
  );
  const expected = ['done', 'forward_not_found', 'forward_conflict', 'name_taken', 'project_not_allowed'];
  for (const code of [...expected, 'router_not_found', 'port_not_permitted', 'quota_exceeded']) {
    expect([code, (outcomes.get(code) ?? 0) > 10]).toEqual([code, true]);
  }
});

/** How each step of red ended. */
async function takeAll(store: TemporaryStore, steps: readonly Step[]): Promise<readonly string[]> {
  const registry = await openRegistry(store);
  try {
    return await takeAllIn(registry, steps);
  } finally {
    await registry.stop();
  }
}

async function takeAllIn(registry: Registry, steps: readonly Step[]): Promise<readonly string[]> {
  const red = registry.within({ project: 'red', grants: GRANTS });
  const blue = registry.within({ project: 'blue', grants: GRANTS });
  const heard: ForwardsChange[] = [];
  red.forwards.subscribe((change) => heard.push(change));
  const told = follow(red, registry.forwards.revision());
  const outcomes: string[] = [];
  for (const each of steps) {
    const others = othersOf(registry);
    if (each.who !== 'red') {
      await attempt(() => take(registry, each.who === 'blue' ? blue : registry, each));
      continue;
    }
    const said = idAt(registry, each);
    const { code, answer } = await attempt(() => take(registry, red, each));
    outcomes.push(code);
    expect(othersOf(registry)).toEqual(others);
    expectNothingOf(others, answer, said);
  }
  await expectFollowed(registry, red, told, heard);
  return outcomes;
}

function take(registry: Registry, as: Registry, { what, owner, name, port, ...each }: Step): Promise<unknown> {
  const id = idAt(registry, each);
  const description = as === registry ? owner.mark : 'no mark';
  const marked = { description, labels: { mark: description } };
  const wanted = spec({
    router: each.router,
    external_port: port,
    name,
    // A project mostly makes what is its own.
    project_id: as === registry ? owner.project : each.which % 5 === 0 ? 'blue' : null,
    ...marked,
  });
  const { forwards } = as;
  switch (what) {
    case 'create':
      return forwards.create(wanted);
    case 'update':
      return forwards.update(id, () => wanted);
    case 'remove':
      return forwards.remove(id);
    case 'give':
      return forwards.update(id, (before) => ({ ...before, projectId: owner.project, ...marked }));
    case 'find':
      return Promise.try(() => [forwards.find(each.which % 2 === 0 ? id : (name ?? 'web')), forwards.list()]);
    case 'apply':
      return forwards.apply({
        wanted: [{ id: each.which % 3 === 0 ? id : null, spec: wanted, times: null }],
        prunes: () => each.prune,
        dryRun: each.which % 4 === 0,
        kind: 'apply',
        intoEmpty: false,
      });
  }
}

function idAt({ forwards }: Registry, { which }: Pick<Step, 'which'>): string {
  const all = forwards.list();
  return all[which % (all.length + 1)]?.id ?? idOf(which);
}

async function attempt(work: () => Promise<unknown>): Promise<{ code: string; answer: string }> {
  try {
    return { code: 'done', answer: JSON.stringify(await work(), printBigInt) ?? '' };
  } catch (error) {
    if (!(error instanceof HatobaError)) throw error;
    return { code: error.code, answer: `${error.message} ${error.hint} ${error.field}` };
  }
}

function printBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function othersOf({ forwards }: Registry): readonly Forward[] {
  return forwards.list().filter(({ projectId }) => projectId !== 'red');
}

/** `known`: what red has said itself. */
function expectNothingOf(others: readonly Forward[], answer: string, known: string): void {
  const secrets = [...others.map(({ id }) => id), 'mark-of-blue', 'mark-of-nobody'].filter((text) => text !== known);
  expect(secrets.filter((secret) => answer.includes(secret))).toEqual([]);
}

/** What is told from now on, until `end` is called. */
function follow(registry: Registry, after: number) {
  const changes: RegistryChange[] = [];
  const abort = new AbortController();
  const following = (async () => {
    for await (const change of registry.changes(after, abort.signal)) changes.push(change);
  })();
  return {
    changes,
    async until(revision: number) {
      while ((changes.at(-1)?.revision ?? 0) < revision) await setTimeout(1);
    },
    async end() {
      abort.abort();
      await following;
    },
  };
}

/** Whoever takes over what is told of has what red has, and was never told of what others have. */
async function expectFollowed(
  registry: Registry,
  red: Registry,
  told: ReturnType<typeof follow>,
  heard: readonly ForwardsChange[],
): Promise<void> {
  const own = new Set(red.forwards.list().map(({ id }) => id));
  const last = await registry.forwards.create(spec({ router: 'end', external_port: 1, project_id: 'red' }));
  await told.until(last.revision);
  await told.end();
  const held = new Map<string, Forward>();
  for (const { forwards } of told.changes) {
    for (const { id, forward } of forwards) {
      if (forward === null) held.delete(id);
      else held.set(id, forward);
    }
  }
  expect([...held.values()].sort(byId)).toEqual([...red.forwards.list()].sort(byId));
  expect(
    told.changes.flatMap(({ forwards }) => forwards.filter(({ forward }) => forward?.projectId === 'blue')),
  ).toEqual([]);
  const ever = new Set([...own, ...told.changes.flatMap(({ forwards }) => forwards.map(({ id }) => id))]);
  const touched = new Set(heard.flatMap((change) => change.touched.map(({ id }) => id)));
  // Listeners hear of every change; a stream may leave out what was overtaken before it came to that.
  expect([...ever].filter((id) => !touched.has(id))).toEqual([]);
  expect(
    [...touched].filter((id) => othersOf(registry).some((other) => other.id === id && !wasGiven(told, id))),
  ).toEqual([]);
}

/** Whether red has had it. */
function wasGiven({ changes }: ReturnType<typeof follow>, id: string): boolean {
  return changes.some(({ forwards }) => forwards.some((one) => one.id === id));
}

function byId(a: Forward, b: Forward): number {
  return a.id < b.id ? -1 : 1;
}

test('what a project had before anybody looked is not known: it is told to read again', async () => {
  const store = openTemporaryStore();
  const first = await openRegistry(store);
  const own = await first.forwards.create(spec({ project_id: 'red' }));
  const before = first.forwards.revision();
  await first.forwards.remove(own.id);
  await first.stop();
  const registry = await openRegistry(store);
  const red = registry.within({ project: 'red', grants: GRANTS });
  const signal = new AbortController().signal;
  await expect(red.changes(before, signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'store_compacted',
  });
  const now = follow(red, registry.forwards.revision());
  const again = await registry.forwards.create(spec({ project_id: 'red' }));
  await now.until(again.revision);
  expect(now.changes[0]?.forwards[0]?.id).toBe(again.id);
  await now.end();
  await registry.stop();
  await store.remove();
});

test('of what has left, the newest are known; who asks for more is told that it is not all there', () => {
  const departures = createDepartures(10);
  departures.add([], 5);
  const left = (n: number) => ({ project: n % 2 === 0 ? 'red' : 'blue', router: 'r1', id: idOf(n) });
  expect(departures.between('red', 5, 9)).toEqual([]);
  expect(() => departures.between('red', 4, 9)).toThrow('changes since revision 4 are no longer kept');
  for (let n = 6; n <= 30; n++) departures.add([left(n)], n);
  expect(departures.between('red', 25, 29)).toEqual([left(26), left(28)]);
  expect(departures.between('blue', 25, 29)).toEqual([left(27), left(29)]);
  // At the 21st the oldest ten and one went, so that 26 and later are sure to be there, and some before.
  expect(() => departures.between('red', 10, 30)).toThrow('changes since revision 10');
  expect(departures.between('red', 20, 23)).toEqual([left(22)]);
  // However many there are at once, they are there for who is told of them.
  departures.add(
    Array.from({ length: 100 }, (_, n) => ({ project: 'red', router: 'r1', id: idOf(100 + n) })),
    31,
  );
  expect(departures.between('red', 30, 31)).toHaveLength(100);
});
