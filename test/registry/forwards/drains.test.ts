import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Forward } from '../../../src/model/forward.ts';
import type { RouterStatus } from '../../../src/model/status.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { ForwardBatch, Registry, WantedForward } from '../../../src/registry/registry.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

const DRAIN = { drain: true };

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
const draining = (router = 'r1') => [...registry.forwards.draining(router)];
const keys = async () => (await store.read('drains/')).entries.map(({ key }) => key);

/** On a router that both nodes have. */
async function publishForward(): Promise<Forward> {
  const forward = await registry.forwards.create(spec());
  for (const node of ['n1', 'n2']) await publish(node, forward.revision);
  return forward;
}

test('a forward drains from its removal, in the same commit, until every node knows of it', async () => {
  const { id } = await publishForward();
  const seen: (readonly string[])[] = [];
  registry.forwards.subscribe(() => seen.push(draining()));
  const revision = await registry.forwards.remove(id, undefined, DRAIN);
  expect(await keys()).toEqual([`drains/r1/${id}`]);
  expect((await store.read('')).revision).toBe(revision);
  await publish('n1', revision - 1);
  await publish('n1', revision);
  expect(draining()).toEqual([id]);
  await publish('n2', revision + 5);
  expect(draining()).toEqual([]);
  expect(await keys()).toEqual([]);
  expect(seen).toEqual([[id]]);
});

test('a node that no longer has the router is not waited for', async () => {
  const { id } = await publishForward();
  const revision = await registry.forwards.remove(id, undefined, DRAIN);
  await publish('n1', revision);
  await registry.statuses.publish('n2', [], ['r1']);
  expect(draining()).toEqual([]);
});

test('without the wish, or where no node has the router, nothing drains', async () => {
  const [first, second] = [await publishForward(), await registry.forwards.create(spec({ router: 'r2' }))];
  await registry.forwards.remove(first.id);
  await registry.forwards.remove(second.id, undefined, DRAIN);
  expect(await keys()).toEqual([]);
});

test('it is known after a start', async () => {
  const { id } = await publishForward();
  const revision = await registry.forwards.remove(id, undefined, DRAIN);
  await registry.stop();
  registry = await openRegistry(store);
  expect(draining()).toEqual([id]);
  for (const node of ['n1', 'n2']) await publish(node, revision);
  expect(draining()).toEqual([]);
});

test('two nodes whose news cross leave it to the next news, of whatever router', async () => {
  const { id } = await publishForward();
  const revision = await registry.forwards.remove(id, undefined, DRAIN);
  const others = await openRegistry(store);
  await Promise.all([publish('n1', revision), others.statuses.publish('n2', [status('n2', revision)], [])]);
  await others.statuses.publish('n2', [status('n2', revision, 'r2')], []);
  await others.stop();
  await expect.poll(() => draining()).toEqual([]);
  expect(await keys()).toEqual([]);
});

test('a forward that is back by its id does not drain, nor when it is removed again', async () => {
  const { id } = await publishForward();
  await registry.forwards.remove(id, undefined, DRAIN);
  await registry.forwards.apply(batchOf({ id, spec: spec(), times: null }));
  expect(draining()).toEqual([]);
  await registry.forwards.remove(id);
  expect(draining()).toEqual([]);
});

test('a record of another key is refused', async () => {
  await registry.stop();
  await store.commit({ puts: [{ key: 'drains/r1/x', value: '{"router":"r1","id":"x"}' }] });
  await expect(openRegistry(store)).rejects.toMatchObject({ code: 'store_unreadable' });
});

function batchOf(...wanted: readonly WantedForward[]): ForwardBatch {
  return { wanted, prunes: () => false, dryRun: false, kind: 'restore', intoEmpty: false };
}
