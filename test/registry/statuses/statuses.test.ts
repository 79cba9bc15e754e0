import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import type { RouterStatus } from '../../../src/model/status.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { Registry, Statuses } from '../../../src/registry/registry.ts';
import { knownGateways } from '../../../src/registry/statuses/statuses.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

let store: TemporaryStore;
let registry: Registry;
let statuses: Statuses;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
  statuses = registry.statuses;
});

afterEach(async () => {
  await registry.stop();
  await store.remove();
});

test('what is published is there at once, in one commit, and over a new start', async () => {
  const full = status('r1', 'node1', {
    instances: ['qrouter-r1', 'snat-r1'],
    gateways: { 4: parseAddress('192.0.2.1'), 6: parseAddress('2001:db8::1') },
    revision: 7,
    problems: { 'b6cb9a84-7a2a-4f6b-9a4e-0f8c7f0f5a01': { state: 'error', message: 'taken' } },
    error: 'no such luck',
  });
  const plain = status('r2', 'node1');
  await statuses.publish('node1', [full, plain], []);
  expect((await store.read('')).revision).toBe(1);
  await registry.stop();
  const again = await openRegistry(store);
  for (const known of [statuses, again.statuses]) {
    expect(known.of('r1')).toEqual([full]);
    expect(known.ofNode('node1')).toEqual([full, plain]);
    expect(known.routers()).toEqual(['r1', 'r2']);
  }
  await again.stop();
});

test('nodes do not touch what others said; a router is known as long as one has it', async () => {
  await statuses.publish('node2', [status('r1', 'node2'), status('r2', 'node2')], []);
  await statuses.publish('node1', [status('r1', 'node1')], []);
  expect(statuses.of('r1').map(({ node }) => node)).toEqual(['node1', 'node2']);
  await statuses.publish('node2', [], ['r1', 'r2', 'unheard-of']);
  expect(statuses.of('r1').map(({ node }) => node)).toEqual(['node1']);
  expect(statuses.ofNode('node2')).toEqual([]);
  expect(statuses.routers()).toEqual(['r1']);
});

test('what is known already is not written again, also when it comes in quick succession', async () => {
  const [one, two] = [status('r1', 'node1', { revision: 1 }), status('r1', 'node1', { revision: 2 })];
  await Promise.all([one, one, two, one].map((each) => statuses.publish('node1', [each], [])));
  expect(statuses.of('r1')).toEqual([one]);
  expect((await store.read('')).revision).toBe(3);
  await statuses.publish('node1', [one], ['r9']);
  expect((await store.read('')).revision).toBe(3);
});

test('subscribers hear of each router once per publication', async () => {
  const heard: string[] = [];
  const unsubscribe = statuses.subscribe((router) => heard.push(router));
  await statuses.publish('node1', [status('r2', 'node1'), status('r1', 'node1')], []);
  await statuses.publish('node1', [status('r1', 'node1')], ['r2']);
  expect(heard.toSorted()).toEqual(['r1', 'r2', 'r2']);
  unsubscribe();
  await statuses.publish('node1', [], ['r1']);
  expect(heard).toHaveLength(3);
});

test('a node may have any name', async () => {
  const odd = status('r1', 'rack/7 ☂');
  await statuses.publish(odd.node, [odd], []);
  expect(statuses.ofNode('rack/7 ☂')).toEqual([odd]);
  await statuses.publish(odd.node, [], ['r1']);
  expect(statuses.routers()).toEqual([]);
});

test('known gateways: of each family the first that a node tells', () => {
  const [a, b, six] = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(parseAddress);
  if (a === undefined || b === undefined || six === undefined) throw new Error('there are three');
  expect(knownGateways([])).toEqual({});
  const told = [{}, { 4: a }, { 4: b, 6: six }].map((gateways, node) => status('r1', `node${node}`, { gateways }));
  expect(knownGateways(told)).toEqual({ 4: a, 6: six });
});

function status(router: string, node: string, more: Partial<RouterStatus> = {}): RouterStatus {
  const empty = { instances: [], gateways: {}, revision: 0, at: '2026-01-01T00:00:00.000Z', problems: {}, error: null };
  return { router, node, ...empty, ...more };
}
