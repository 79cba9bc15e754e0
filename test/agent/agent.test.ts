import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import type { Dataplane } from '../../src/dataplane/dataplane.ts';
import { parseAddress } from '../../src/model/address.ts';
import { type ForwardInput, parseForwardSpec } from '../../src/model/forward.ts';
import { forwardStatus } from '../../src/model/status.ts';
import { printTime } from '../../src/model/time.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { NO_NEIGHBOURS } from '../support/no-neighbours.ts';

const ROUTER = '5f1b3c08-7d42-4e6a-9b0e-3a1c5d7e9f20';
const [CENTRAL, SNAT] = [`qrouter-${ROUTER}`, `snat-${ROUTER}`];
const FIRST = { 4: parseAddress('192.0.2.1') };

let directory: string;
let close: () => Promise<void>;
let registry: Registry;
let world: MemoryWorld;
let agent: Agent;
let errors: unknown[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-agent-'));
  const store = openSqliteStore(join(directory, 'hatoba.db'));
  registry = await openRegistry(store);
  close = async () => {
    await registry.stop();
    await store.close();
  };
  [world, errors] = [createMemoryWorld(), []];
  agent = agentOver(world);
});

afterEach(async () => {
  await agent.stop();
  await close();
  rmSync(directory, { recursive: true });
});

/** `meanwhile`: happens while a router is given something, which takes a while then. */
function agentOver(routers: MemoryWorld, meanwhile?: () => Promise<void>): Agent {
  const ignore = () => {};
  const log = { debug: ignore, info: ignore, warn: ignore, error: (details: object) => void errors.push(details) };
  const memory = routers.open();
  const dataplane = meanwhile === undefined ? memory : slowed(memory, meanwhile);
  return createAgent({ node: 'n1', registry, dataplane, neighbours: NO_NEIGHBOURS, log });
}

function slowed(memory: Dataplane, meanwhile: () => Promise<void>): Dataplane {
  return {
    ...memory,
    async synchronise(...args) {
      await setImmediate();
      await meanwhile();
      return memory.synchronise(...args);
    },
    async apply(...args) {
      await setImmediate();
      await meanwhile();
      return memory.apply(...args);
    },
  };
}

function forward(port: number, input: Partial<ForwardInput> = {}) {
  const spec = parseForwardSpec({ router: ROUTER, external_port: port, internal_address: '10.0.0.1', ...input });
  return registry.forwards.create(spec);
}

function present(id = CENTRAL): readonly string[] {
  const rules = world.contents(id) ?? [];
  return rules.map(({ external, externalPorts }) => `${external.text} ${externalPorts.first}`).sort();
}

describe('at the start', () => {
  test('every router that is there has its forwards, and its status is published, before it resolves', async () => {
    world.add(CENTRAL);
    world.setGateways(CENTRAL, FIRST);
    const { revision } = await forward(80);
    await agent.start();
    expect(present()).toEqual(['192.0.2.1 80']);
    expect(registry.statuses.of(ROUTER)).toMatchObject([
      { node: 'n1', router: ROUTER, instances: [CENTRAL], gateways: FIRST, revision, problems: {}, error: null },
    ]);
  });

  test('what an earlier run said of routers that are gone is withdrawn', async () => {
    world.add(CENTRAL);
    await agent.start();
    await agent.stop();
    world.remove(CENTRAL);
    agent = agentOver(world);
    await agent.start();
    await expect.poll(() => registry.statuses.of(ROUTER)).toEqual([]);
  });
});

describe('while changes never cease', () => {
  /** One change after the other of the same forward, the next as soon as the kernel is being given the one before. */
  async function churn(id: string): Promise<void> {
    await registry.forwards.update(id, (spec) => ({ ...spec, enabled: !spec.enabled }));
  }

  test('a start ends, and what was wanted before is told', async () => {
    world.add(CENTRAL);
    world.setGateways(CENTRAL, FIRST);
    const [{ id }, { revision }] = [await forward(80), await forward(81)];
    agent = agentOver(world, () => churn(id));
    await agent.start();
    expect(registry.statuses.of(ROUTER)[0]?.revision).toBeGreaterThanOrEqual(revision);
  });

  test('a start ends, also where routers come and go', async () => {
    world.add(CENTRAL);
    let round = 0;
    agent = agentOver(world, async () => {
      world.remove(`another-${round}`);
      world.add(`another-${++round}`);
    });
    await agent.start();
    expect(registry.statuses.of(ROUTER)).toHaveLength(1);
  });

  test('the status of each change is told, and other routers have their turn', async () => {
    world.add(CENTRAL);
    world.setGateways(CENTRAL, FIRST);
    const { id } = await forward(80);
    let isOver = false;
    agent = agentOver(world, async () => {
      if (!isOver) await churn(id);
    });
    await agent.start();
    const late = await forward(81);
    const state = () => forwardStatus(registry.forwards.find(late.id), registry.statuses.of(ROUTER), '').state;
    await expect.poll(state).toBe('active');
    world.add('another');
    const elsewhere = await forward(80, { router: 'another', external_address: '198.51.100.1' });
    await expect.poll(() => registry.statuses.of('another')[0]?.revision).toBeGreaterThanOrEqual(elsewhere.revision);
    isOver = true;
  });

  test('a stop ends', async () => {
    world.add(CENTRAL);
    const { id } = await forward(80, { external_address: '198.51.100.1' });
    agent = agentOver(world, () => churn(id));
    await agent.start();
    await agent.stop();
    agent = agentOver(world, () => churn(id));
    await agent.start();
    await agent.cleanUp();
    expect(world.contents(CENTRAL)).toBeNull();
  });
});

describe('later', () => {
  beforeEach(async () => {
    await agent.start();
    world.add(CENTRAL);
    world.setGateways(CENTRAL, FIRST);
  });

  test('forwards come, change and go', async () => {
    const { id } = await forward(80);
    await forward(81, { router: 'another' });
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
    await registry.forwards.update(id, (spec) => ({ ...spec, enabled: false }));
    await expect.poll(() => present()).toEqual([]);
    await registry.forwards.update(id, (spec) => ({ ...spec, enabled: true }));
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
    await registry.forwards.remove(id);
    await expect.poll(() => present()).toEqual([]);
  });

  test('forwards on the gateway follow it, and wait where there is none', async () => {
    const { id } = await forward(80);
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
    world.setGateways(CENTRAL, { 4: parseAddress('192.0.2.9') });
    await expect.poll(() => present()).toEqual(['192.0.2.9 80']);
    world.setGateways(CENTRAL, {});
    await expect.poll(() => present()).toEqual([]);
    await expect.poll(() => registry.statuses.of(ROUTER)[0]?.problems[id]?.state).toBe('pending');
  });

  test('what a stranger did is put right', async () => {
    await forward(80);
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
    world.tamper(CENTRAL, () => null);
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
  });

  test('a router that is made again gets everything again', async () => {
    await forward(80, { external_address: '198.51.100.1' });
    for (let round = 0; round < 3; round++) {
      await expect.poll(() => present()).toEqual(['198.51.100.1 80']);
      world.remove(CENTRAL);
      world.add(CENTRAL);
    }
    world.remove(CENTRAL);
    await expect.poll(() => registry.statuses.of(ROUTER)).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('all instances of a router have its forwards, on the gateway that one of them has', async () => {
    await forward(80);
    world.add(SNAT);
    await expect.poll(() => present(SNAT)).toEqual(['192.0.2.1 80']);
    await expect.poll(() => registry.statuses.of(ROUTER)[0]?.instances).toEqual([CENTRAL, SNAT]);
    world.remove(CENTRAL);
    await expect.poll(() => present(SNAT)).toEqual([]);
  });

  test('a forward whose time comes is taken out everywhere, and its status says so once that is done', async () => {
    world.add(SNAT);
    await forward(80);
    const { id } = await forward(81, { expires_at: printTime(Date.now() + 86_400_000) });
    const expiring = () => registry.forwards.find(id);
    const state = () => forwardStatus(expiring(), registry.statuses.of(ROUTER), '').state;
    await expect.poll(state).toBe('active');
    const expires_at = printTime(Date.now() + 1000);
    await registry.forwards.update(id, (spec) => ({ ...spec, expiresAt: expires_at }));
    await expect.poll(state).toBe('expired');
    expect(printTime(Date.now()) >= expires_at).toBe(true);
    for (const instance of [CENTRAL, SNAT]) expect(present(instance)).toEqual(['192.0.2.1 80']);
    await registry.forwards.update(id, (spec) => ({ ...spec, expiresAt: null }));
    await expect.poll(state).toBe('active');
  });

  test('a forward whose time has come while the machine slept is taken out when it wakes up', async () => {
    world.add(SNAT);
    await forward(80);
    await forward(81, { expires_at: printTime(Date.now() + 86_400_000) });
    for (const instance of [CENTRAL, SNAT]) await expect.poll(() => present(instance)).toHaveLength(2);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    try {
      world.setClock();
      for (const instance of [CENTRAL, SNAT]) await expect.poll(() => present(instance)).toEqual(['192.0.2.1 80']);
    } finally {
      vi.useRealTimers();
    }
  });

  test('stopping leaves them, cleaning up removes them', async () => {
    await forward(80);
    await expect.poll(() => present()).toEqual(['192.0.2.1 80']);
    await agent.stop();
    expect(present()).toEqual(['192.0.2.1 80']);
    agent = agentOver(world);
    await agent.start();
    await agent.cleanUp();
    expect(world.contents(CENTRAL)).toBeNull();
  });
});
