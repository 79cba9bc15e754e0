import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { SetElement, TableChange } from '../../src/kernel/nft/nft-batch.ts';
import { nft } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel } from './linux-under-test.ts';

const CREATE: TableChange = { table: 'create', remove: [], add: [] };
const REPLACE: TableChange = { ...CREATE, table: 'replace' };

let namespaces: Namespaces;
let router: string;
let elsewhere: string;
let stranger: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  [router, elsewhere] = [namespaces.name('router'), namespaces.name('elsewhere')];
  for (const name of [router, elsewhere]) await namespaces.add(name);
  stranger = await openTestKernel();
  await stranger.attach(router);
});

afterAll(async () => {
  await stranger?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

function element(port: number): string {
  return `inet hatoba exact4 { 192.0.2.1 . 6 . ${port} : 10.0.0.1 . 22 }`;
}

function entry(port: number): SetElement {
  return { set: 'exact4', key: `192.0.2.1 . 6 . ${port}`, value: '10.0.0.1 . 22', comment: '' };
}

const adding = (...add: readonly SetElement[]): TableChange => ({ table: 'keep', remove: [], add });
const removing = (...remove: readonly SetElement[]): TableChange => ({ table: 'keep', remove, add: [] });

let kernel: Kernel;
let disturbances = 0;

beforeAll(async () => {
  kernel = await openTestKernel();
  await kernel.watch((event) => {
    if (event.kind === 'disturbed' && event.namespace === router) disturbances++;
  });
});

afterAll(() => kernel.stop());

beforeEach(async () => {
  await nft(router, 'flush ruleset');
  await kernel.attach(router);
  disturbances = 0;
  await kernel.change(router, CREATE);
  await quiet();
  expect(disturbances).toBe(0);
});

/** Until whatever has happened so far was read and told: what a first round finds, a second one comes behind. */
async function quiet(): Promise<void> {
  await kernel.ping();
  await kernel.ping();
}

test.each([
  ['an entry added', `add element ${element(80)}`],
  ['a rule added', 'add rule inet hatoba prerouting counter'],
  ['a chain added', 'add chain inet hatoba other'],
  ['a map added', 'add map inet hatoba other { type mark : mark ; }'],
  ['the chain emptied', 'flush chain inet hatoba prerouting'],
  ['the policy changed', 'chain inet hatoba prerouting { policy drop ; }'],
  ['the table put to sleep', 'add table inet hatoba { flags dormant ; }'],
  ['the table deleted', 'delete table inet hatoba'],
  ['everything flushed', 'flush ruleset'],
  ['ours among others', `add table ip other\nadd element ${element(80)}\nadd table ip6 other`],
])('%s by another program is told once', async (_, script) => {
  await nft(router, script);
  await expect.poll(() => disturbances).toBe(1);
  await nft(router, 'add table inet hatoba\nadd chain inet hatoba another');
  await quiet();
  expect(disturbances).toBe(1);
  await kernel.readTable(router);
  await nft(router, 'delete chain inet hatoba another');
  await expect.poll(() => disturbances).toBe(2);
});

test.each([
  'add table inet other { chain c { type nat hook prerouting priority 0 ; } }',
  'add table inet hatoba2\nadd table inet hatob',
  'add table ip hatoba\nadd chain ip hatoba prerouting\nadd rule ip hatoba prerouting counter',
  'add table inet hatoba',
])('%j is none of ours', async (script) => {
  await nft(router, script.replace(/\{ (chain.*) \}$/, '{\n$1\n}'));
  await quiet();
  expect(disturbances).toBe(0);
});

test('our own changes are not told, small or larger than what the kernel keeps for us', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => entry(index + 1));
  await kernel.change(router, adding(...many));
  await kernel.change(router, removing(entry(80)));
  await kernel.readTable(router);
  await quiet();
  expect(disturbances).toBe(0);
});

test('a refused change of ours does not hide one of another', async () => {
  const refusals = Promise.allSettled(Array.from({ length: 5 }, () => kernel.change(router, removing(entry(79)))));
  await nft(router, `add element ${element(80)}`);
  await refusals;
  await expect.poll(() => disturbances).toBe(1);
});

test('more news than the kernel keeps for us is taken for a disturbance', async () => {
  await kernel.attach(elsewhere);
  await kernel.change(elsewhere, CREATE);
  // While this keeps the worker from reading, a few thousand notifications fill its socket's buffer.
  const many = Array.from({ length: 20_000 }, (_, index) => entry(index + 1));
  const busy = Array.from({ length: 5 }, () => kernel.change(elsewhere, { ...REPLACE, add: many }));
  const addresses = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const set = 'add table ip other\nadd set ip other s { type ipv4_addr ; }\n';
  await nft(router, `${set}add element ip other s { ${addresses.join(',')} }\n`);
  await Promise.all(busy);
  await expect.poll(() => disturbances).toBe(1);
});

test('none is lost among changes of our own at the same time, and none is invented', async () => {
  for (let round = 0; round < 80; round++) {
    const ours = [1, 2, 3].map((port) => kernel.change(router, adding(entry(port))));
    await Promise.all([...ours, stranger.change(router, adding(entry(100)))]);
    await quiet();
    expect(disturbances).toBe(1);
    await kernel.readTable(router);
    await kernel.change(router, REPLACE);
    disturbances = 0;
  }
  await quiet();
  expect(disturbances).toBe(0);
});
