import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { publish, ROUTER, report } from '../api/api-under-test.ts';
import { spec } from './specs.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

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

const now = () => registry.forwards.revision();
const MOVED = { 4: parseAddress('192.168.1.101') };

test('a listing is another when a forward or a gateway changes, and not when a state does', async () => {
  expect(registry.listingRevision()).toBe(0);
  const { id } = await registry.forwards.create(spec({ router: ROUTER }));
  expect(registry.listingRevision()).toBe(now());
  await publish(registry, report(1));
  const known = now();
  expect(registry.listingRevision()).toBe(known);
  for (const revision of [2, 3]) await publish(registry, report(revision));
  await publish(registry, report(4, { error: 'the kernel refused' }));
  expect(now()).toBeGreaterThan(known);
  expect(registry.listingRevision()).toBe(known);
  await publish(registry, report(5, { gateways: MOVED }));
  expect(registry.listingRevision()).toBe(now());
  await publish(registry, report(6, { gateways: {} }));
  expect(registry.listingRevision()).toBe(now());
  await registry.forwards.remove(id);
  expect(registry.listingRevision()).toBe(now());
});

test('after a start it is no older than what it was before', async () => {
  await registry.forwards.create(spec({ router: ROUTER }));
  await publish(registry, report(1));
  const before = registry.listingRevision();
  const again = await openRegistry(store);
  expect(again.listingRevision()).toBeGreaterThanOrEqual(before);
  await again.stop();
});
