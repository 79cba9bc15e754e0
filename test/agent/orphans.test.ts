import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import { parseAddress } from '../../src/model/address.ts';
import { type ForwardInput, parseForwardSpec } from '../../src/model/forward.ts';
import { forwardStatus } from '../../src/model/status.ts';
import { printTime } from '../../src/model/time.ts';
import type { Rule } from '../../src/program/rule.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { NO_NEIGHBOURS } from '../support/no-neighbours.ts';

const ROUTER = '5f1b3c08-7d42-4e6a-9b0e-3a1c5d7e9f20';
const [CENTRAL, SNAT] = [`qrouter-${ROUTER}`, `snat-${ROUTER}`];
const GATEWAY = '192.0.2.1';

let directory: string;
let close: () => Promise<void>;
let registry: Registry;
let world: MemoryWorld;
let agent: Agent;
let warnings: object[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-orphans-'));
  const store = openSqliteStore(join(directory, 'hatoba.db'));
  registry = await openRegistry(store);
  close = async () => {
    await registry.stop();
    await store.close();
  };
  [world, warnings] = [createMemoryWorld(), []];
  agent = agentOver();
});

afterEach(async () => {
  await agent.stop();
  await close();
  rmSync(directory, { recursive: true });
});

function agentOver(): Agent {
  const ignore = () => {};
  const log = { debug: ignore, info: ignore, warn: (details: object) => void warnings.push(details), error: ignore };
  return createAgent({ node: 'n1', registry, dataplane: world.open(), neighbours: NO_NEIGHBOURS, log });
}

/** A router whose kernel has these rules already. */
function found(rules: readonly Rule[], id = CENTRAL): void {
  world.add(id);
  world.setGateways(id, { 4: parseAddress(GATEWAY) });
  world.tamper(id, () => new Map(programOf(rules)));
}

function forward(port: string, input: Partial<ForwardInput> = {}) {
  const spec = parseForwardSpec({ router: ROUTER, external_port: port, internal_address: '10.0.0.1', ...input });
  return registry.forwards.create(spec);
}

const present = (id = CENTRAL) => (world.contents(id) ?? []).map((rule) => rule.forward).sort();
const orphaned = () => registry.statuses.of(ROUTER)[0]?.orphaned;
const idsOf = (...rules: readonly Rule[]) => rules.map((rule) => rule.forward).sort();

const web = ruleOf(1, 'tcp', [GATEWAY, 80], ['10.0.0.1', 80]);
const range = ruleOf(2, 'tcp', ['203.0.113.1', '6000-6009'], ['10.0.0.2', '7000-7009']);

test('what the kernel has and the store never had stays, and is told; also after the next start', async () => {
  found([web, range]);
  await agent.start();
  expect(present()).toEqual(idsOf(web, range));
  expect(orphaned()).toBe(2);
  expect(warnings).toMatchObject([{ router: ROUTER, instance: CENTRAL, forwards: 2 }]);
  await agent.stop();
  agent = agentOver();
  await agent.start();
  expect([present(), orphaned()]).toEqual([idsOf(web, range), 2]);
});

test('what the store has removed is taken out, whether or not anything is orphaned', async () => {
  const removed = await forward('81');
  await registry.forwards.remove(removed.id);
  found([web, { ...ruleOf(3, 'tcp', [GATEWAY, 81], ['10.0.0.1', 81]), forward: removed.id }]);
  await agent.start();
  expect([present(), orphaned()]).toEqual([idsOf(web), 1]);
});

test('what appears later in a table of ours is drift, and is taken out; what goes is put back', async () => {
  found([web]);
  await agent.start();
  world.tamper(CENTRAL, () => new Map(programOf([range])));
  await expect.poll(() => present()).toEqual(idsOf(web));
  expect(orphaned()).toBe(1);
});

test('both instances of a router have them', async () => {
  found([web], CENTRAL);
  found([range], SNAT);
  await agent.start();
  await expect.poll(() => [present(CENTRAL), present(SNAT)]).toEqual([idsOf(web, range), idsOf(web, range)]);
  expect(orphaned()).toBe(2);
});

test('a new forward is added beside them; one that wants their ports is in error and says why', async () => {
  found([web, range]);
  await agent.start();
  const beside = await forward('81');
  const rival = await forward('6005', { external_address: '203.0.113.1' });
  await expect.poll(() => registry.statuses.of(ROUTER)[0]?.revision).toBe(rival.revision);
  expect(present()).toEqual([...idsOf(web, range), beside.id].sort());
  const { state, message } = forwardStatus(rival, registry.statuses.of(ROUTER), printTime(Date.now()));
  expect(state).toBe('error');
  expect(message).toBe('an orphaned forward in the kernel already has tcp 203.0.113.1:6005, or a part of it');
});

test('a forward that does the same takes the place of one, and its removal brings nothing back', async () => {
  found([web, range]);
  await agent.start();
  const same = await forward('80', { external_address: 'gateway' });
  await expect.poll(() => present()).toEqual([same.id, ...idsOf(range)].sort());
  await expect.poll(orphaned).toBe(1);
  await registry.forwards.remove(same.id);
  await expect.poll(() => present()).toEqual(idsOf(range));
});

test('one that becomes a forward by its id is orphaned no more', async () => {
  found([web]);
  await agent.start();
  const [orphan] = await agent.orphans.list(null);
  expect(orphan?.id).toBe(web.forward);
  const wanted = orphan === undefined ? [] : [{ id: orphan.id, spec: orphan.spec, times: null }];
  await registry.forwards.apply({ wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false });
  await expect.poll(orphaned).toBeUndefined();
  expect(present()).toEqual(idsOf(web));
  await registry.forwards.remove(web.forward);
  await expect.poll(() => present()).toEqual([]);
});

test('those of one router, or all, are taken out on demand', async () => {
  found([web, range]);
  world.add('edge-2');
  world.tamper('edge-2', () => new Map(programOf([web])));
  await agent.start();
  expect((await agent.orphans.discard('edge-2')).map(({ spec }) => spec.router)).toEqual(['edge-2']);
  expect([present('edge-2'), present()]).toEqual([[], idsOf(web, range)]);
  expect(await agent.orphans.discard(null)).toHaveLength(2);
  expect([present(), orphaned()]).toEqual([[], undefined]);
  expect(await agent.orphans.discard(null)).toEqual([]);
});

test('one whose time comes is taken out, and counted no more', async () => {
  const expiresAt = printTime(Date.now() + 1_500);
  found([{ ...web, expiresAt }, range]);
  await agent.start();
  await expect.poll(() => present()).toEqual(idsOf(range));
  await expect.poll(orphaned).toBe(1);
});

test('a router that comes back has them again, as long as the daemon remembers', async () => {
  found([web]);
  await agent.start();
  world.remove(CENTRAL);
  await expect.poll(orphaned).toBeUndefined();
  world.add(CENTRAL);
  await expect.poll(() => present()).toEqual(idsOf(web));
});
