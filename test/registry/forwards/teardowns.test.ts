import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Forward } from '../../../src/model/forward.ts';
import { printForwardSpec } from '../../../src/model/forward.ts';
import type { RouterStatus } from '../../../src/model/status.ts';
import { createTeardownIndex } from '../../../src/registry/forwards/teardown-index.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { ForwardBatch, Registry } from '../../../src/registry/registry.ts';
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

function status(node: string, revision: number, router = 'r1'): RouterStatus {
  const at = '2026-01-01T00:00:00.000Z';
  return { router, node, instances: [], gateways: {}, revision, at, problems: {}, error: null };
}

const publish = (node: string, revision: number) => registry.statuses.publish(node, [status(node, revision)], []);
const keys = async () => (await store.read('teardowns/')).entries.map(({ key }) => key);
const retired = (since = 0) =>
  registry.forwards
    .retiredSince('r1', since)
    .map((forward) => `${forward.id} ${printForwardSpec(forward).internal_port}`);

async function publishForward(input: Parameters<typeof spec>[0] = {}): Promise<Forward> {
  const forward = await registry.forwards.create(spec(input));
  for (const node of ['n1', 'n2']) await publish(node, forward.revision);
  return forward;
}

test.each([
  ['is removed', (id: string) => registry.forwards.remove(id), 1],
  ['is removed with its flows to go on', (id: string) => registry.forwards.remove(id, undefined, { drain: true }), 1],
  ['is disabled', (id: string) => registry.forwards.update(id, (before) => ({ ...before, enabled: false })), 1],
  [
    'is moved to another router',
    (id: string) => registry.forwards.update(id, (before) => ({ ...before, router: 'r2' })),
    1,
  ],
  [
    'leads elsewhere',
    (id: string) => registry.forwards.update(id, (before) => ({ ...before, ...target('10.0.0.99') })),
    1,
  ],
  ['serves other clients', (id: string) => registry.forwards.update(id, (before) => ({ ...before, ...sources() })), 1],
  ['is described', (id: string) => registry.forwards.update(id, (before) => ({ ...before, description: 'x' })), 0],
  ['is to end later', (id: string) => registry.forwards.update(id, (before) => ({ ...before, ...ending() })), 0],
  ['is pruned by a batch', () => registry.forwards.apply(batch([])), 1],
  ['is as a batch wants it', (id: string) => registry.forwards.apply(batch([id])), 0],
] as const)('a forward that %s', async (_, change, count) => {
  const { id, revision } = await publishForward();
  await change(id);
  expect(await keys()).toHaveLength(count);
  expect(registry.forwards.retiredSince('r1', revision).map((forward) => forward.id)).toEqual(count === 1 ? [id] : []);
});

const target = (address: string) => ({ internalAddress: spec({ internal_address: address }).internalAddress });
const sources = () => ({ sources: spec({ sources: ['192.0.2.0/24'] }).sources });
const ending = () => ({ expiresAt: '2999-01-01T00:00:00.000Z' });

function batch(ids: readonly string[]): ForwardBatch {
  const wanted = ids.flatMap((id) => {
    const forward = registry.forwards.get(id);
    return forward === undefined ? [] : [{ id, spec: forward, times: null }];
  });
  return { wanted, prunes: () => true, dryRun: false, kind: 'apply', intoEmpty: false };
}

test('every version is kept until all nodes with the router have applied it, also over a start', async () => {
  const { id } = await publishForward();
  const turnTo = (port: number) =>
    registry.forwards.update(id, (before) => ({ ...before, internalPorts: { first: port, last: port } }));
  const { revision } = await turnTo(23);
  await turnTo(24);
  const removed = await registry.forwards.remove(id);
  const versions = [spec().internalPorts.first, 23, 24].map((port) => `${id} ${port}`);
  expect(retired()).toEqual(versions);
  expect(retired(revision)).toEqual(versions.slice(1));
  await registry.stop();
  registry = await openRegistry(store);
  expect(retired().toSorted()).toEqual(versions.toSorted());
  await publish('n1', removed);
  await publish('n2', removed - 1);
  expect(retired()).toEqual(versions.slice(2));
  await publish('n2', removed);
  expect(await keys()).toEqual([]);
});

test('what led no flows, and what no node has, leaves none', async () => {
  const { id } = await publishForward({ enabled: false });
  await registry.forwards.remove(id);
  const elsewhere = await registry.forwards.create(spec({ router: 'nowhere' }));
  await registry.forwards.remove(elsewhere.id);
  expect(await keys()).toEqual([]);
});

test('a large batch is several records', async () => {
  const wanted = Array.from({ length: 2_500 }, (_, at) => ({
    id: null,
    spec: spec({ external_port: 1 + at }),
    times: null,
  }));
  const { revision } = await registry.forwards.apply({ ...batch([]), wanted });
  await publish('n1', revision);
  await registry.forwards.apply(batch([]));
  expect(await keys()).toHaveLength(3);
  expect(registry.forwards.retiredSince('r1', revision)).toHaveLength(2_500);
});

test('a record that cannot be read is told when it is needed', async () => {
  await registry.stop();
  await store.commit({ puts: [{ key: 'teardowns/r1/x', value: '{"forwards":[{}]}' }] });
  registry = await openRegistry(store);
  expect(() => registry.forwards.retiredSince('r1', 0)).toThrow('teardowns/r1/x');
});

describe('bounds', () => {
  test('the oldest of the router go first, then the oldest of all', () => {
    const index = createTeardownIndex({ perRouter: 100, inSum: 150 });
    const put = (router: string, revision: number) => index.put(router, `${revision}`, 'x'.repeat(40), revision);
    put('r2', 1);
    put('r1', 2);
    put('r1', 3);
    const surplus = (router: string, added: number) => index.surplus(router, added).map(({ id }) => id);
    expect(surplus('r1', 20)).toEqual([]);
    expect(surplus('r1', 30)).toEqual(['2']);
    expect(surplus('r1', 100)).toEqual(['2', '3']);
    expect(surplus('r2', 60)).toEqual(['1']);
    expect(surplus('r3', 60)).toEqual(['1']);
    expect(surplus('r3', 80)).toEqual(['1', '2']);
  });
});
