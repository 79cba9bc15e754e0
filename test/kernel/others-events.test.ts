import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Kernel, KernelEvent } from '../../src/kernel/kernel.ts';
import { nft, runIn } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel } from './linux-under-test.ts';

let namespaces: Namespaces;
let kernel: Kernel;
let router: string;
let told: KernelEvent['kind'][];

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
});

beforeEach(async () => {
  told = [];
  kernel = await openTestKernel();
  await kernel.watch((event) => {
    if ('namespace' in event && event.namespace === router) told.push(event.kind);
  });
  await kernel.attach(router);
});

afterEach(async () => {
  await kernel.stop();
  await nft(router, 'flush ruleset');
});

afterAll(() => namespaces?.[Symbol.asyncDispose]());

const count = () => told.filter((kind) => kind === 'others').length;

test('a change of rules is told once, and again only after somebody has asked', async () => {
  await runIn(router, 'iptables-nft', ['-t', 'nat', '-A', 'PREROUTING', '-j', 'ACCEPT']);
  await kernel.ping();
  expect(count()).toBe(0);
  await kernel.othersTables(router);
  await nft(router, 'table ip own { chain c { }; }; table inet own { set s { type inet_service; }; }');
  await eventually(() => expect(count()).toBe(1));
  await nft(router, 'add rule ip own c accept');
  await kernel.ping();
  expect(count()).toBe(1);
  await kernel.othersTables(router);
  await nft(router, 'delete table ip own');
  await eventually(() => expect(count()).toBe(2));
  expect(told).not.toContain('disturbed');
});

test('what we change is not told, nor what is in the sets of others', async () => {
  await nft(router, 'table inet own { set s { type inet_service; }; }');
  await kernel.othersTables(router);
  await kernel.change(router, { table: 'create', remove: [], add: [] });
  await nft(router, 'add element inet own s { 1 }');
  await nft(router, 'delete element inet own s { 1 }');
  await kernel.ping();
  expect(count()).toBe(0);
  await nft(router, 'delete table inet own');
  await eventually(() => expect(count()).toBe(1));
});

test.each(['iptables-nft', 'ip6tables-nft'])(
  'what is written into chains of ours by %s is not told',
  async (program) => {
    const restore = (...lines: readonly string[]) =>
      runIn(router, `${program}-restore`, ['--noflush'], ['*nat', ...lines, 'COMMIT', ''].join('\n'));
    await restore(':hatoba-prerouting - [0:0]', '-A PREROUTING -j hatoba-prerouting');
    await kernel.othersTables(router);
    await restore('-A hatoba-prerouting -p tcp -j RETURN', ':hatoba-postrouting - [0:0]');
    await restore('-D hatoba-prerouting 1', ':hatoba-postrouting - [0:0]', '-A hatoba-postrouting -j RETURN');
    await kernel.ping();
    expect(count()).toBe(0);
    await restore('-A PREROUTING -p tcp -j RETURN');
    await eventually(() => expect(count()).toBe(1));
  },
);

test('a change of ours by others is told as that, and a flush as both', async () => {
  await kernel.change(router, { table: 'create', remove: [], add: [] });
  await nft(router, 'table ip own { }');
  await kernel.othersTables(router);
  await nft(router, 'add chain inet hatoba theirs');
  await eventually(() => expect(told).toContain('disturbed'));
  expect(count()).toBe(0);
  await kernel.readTable(router);
  await nft(router, 'flush ruleset');
  await eventually(() => expect(count()).toBe(1));
});
