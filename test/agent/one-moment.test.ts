import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import type { Dataplane, Farewell } from '../../src/dataplane/dataplane.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { type ForwardInput, parseForwardSpec } from '../../src/model/forward.ts';
import type { ForwardId } from '../../src/model/ids.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { NO_NEIGHBOURS } from '../support/no-neighbours.ts';

const ROUTER = 'r1';

let directory: string;
let registry: Registry;
let world: MemoryWorld;
let agent: Agent;
let close: () => Promise<void>;
/** What the data plane was passed about flows, call by call. */
let farewells: Farewell[];
/** Done once, before the data plane does what it was called for. */
let interrupt: Partial<Record<'limits' | 'apply' | 'synchronise', () => Promise<void>>>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-moment-'));
  const store = openSqliteStore(join(directory, 'hatoba.db'));
  registry = await openRegistry(store);
  [world, farewells, interrupt] = [createMemoryWorld(), [], {}];
  const ignore = () => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  agent = createAgent({ node: 'n1', registry, dataplane: watched(world.open()), neighbours: NO_NEIGHBOURS, log });
  close = async () => {
    await agent.stop();
    await registry.stop();
    await store.close();
  };
  world.add(ROUTER);
  await agent.start();
});

afterEach(async () => {
  await close();
  rmSync(directory, { recursive: true });
});

function watched(dataplane: Dataplane): Dataplane {
  const meet = async (call: keyof typeof interrupt) => {
    const happens = interrupt[call];
    delete interrupt[call];
    await happens?.();
  };
  return {
    ...dataplane,
    async limits(id) {
      await meet('limits');
      return dataplane.limits(id);
    },
    async apply(id, change, draining = new Set()) {
      farewells.push({ draining, gone: change.remove });
      await meet('apply');
      await dataplane.apply(id, change, draining);
    },
    async synchronise(id, program, farewell) {
      if (farewell !== undefined) farewells.push(farewell);
      await meet('synchronise');
      return dataplane.synchronise(id, program, farewell);
    },
  };
}

function publish(external_port: number, input: Partial<ForwardInput> = {}) {
  const fields = { router: ROUTER, external_address: '192.0.2.1', internal_address: '10.0.0.1', external_port };
  return registry.forwards.create(parseForwardSpec({ ...fields, ...input }));
}

async function settled(revision: number): Promise<void> {
  await expect.poll(() => registry.statuses.of(ROUTER)[0]?.revision).toBeGreaterThanOrEqual(revision);
}

/** By everything that was passed at any time, its flows go on. */
function expectDrained(id: ForwardId): void {
  const mentions = farewells.filter(({ gone }) => gone.some(({ forward }) => forward === id));
  expect(mentions.length).toBeGreaterThan(0);
  for (const { draining } of mentions) expect(draining.has(id)).toBe(true);
}

const refuse = async () => {
  throw hatobaError('kernel_refused', { namespace: ROUTER, reason: 'another process was faster' });
};

test.each([
  ['limits are read', 'limits', 'another forward is added', false],
  ['limits are read', 'limits', 'another process flushes the table', true],
  ['the kernel refuses a change', 'apply', 'another forward is added', false],
  ['the kernel refuses a comparison', 'synchronise', 'another process flushes the table', true],
] as const)('a forward that is removed with its flows to go on while %s (%s), since %s', async (_, call, __, flush) => {
  await publish(7000, { protocol: 'udplite' });
  const drained = await publish(5001);
  await settled(drained.revision);
  let removed = 0;
  interrupt[call] = async () => {
    removed = await registry.forwards.remove(drained.id, undefined, { drain: true });
    if (call !== 'limits') await refuse();
  };
  if (flush) world.tamper(ROUTER, () => null);
  else await publish(7001, { protocol: 'udplite' });
  await expect.poll(() => removed).toBeGreaterThan(0);
  await settled(removed);
  expectDrained(drained.id);
  expect(world.contents(ROUTER)?.some(({ forward }) => forward === drained.id)).toBe(false);
});
