import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LAYOUT } from '../../src/dataplane/linux/nftables/layout.ts';
import { createTable } from '../../src/dataplane/linux/nftables/script.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { nft } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { DRIVERS, openTestKernel } from './linux-under-test.ts';

const FRESH = createTable(LAYOUT, [], true);

let namespaces: Namespaces;
let router: string;
let stranger: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
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

describe.each(DRIVERS)('by %s', (driver) => {
  let kernel: Kernel;
  let disturbances = 0;

  beforeAll(async () => {
    kernel = await openTestKernel({ driver });
    await kernel.watch((event) => {
      if (event.kind === 'disturbed' && event.namespace === router) disturbances++;
    });
  });

  afterAll(() => kernel.stop());

  beforeEach(async () => {
    await nft(router, 'flush ruleset');
    await kernel.attach(router);
    disturbances = 0;
    await kernel.run(router, FRESH);
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
    const many = Array.from({ length: 20_000 }, (_, index) => `192.0.2.1 . 6 . ${index + 1} : 10.0.0.1 . 22`);
    await kernel.run(router, `add ${'element'} inet hatoba exact4 {\n${many.join(',\n')}\n}`);
    await kernel.run(router, `delete element ${element(80).replace(/ : .* }/, ' }')}`);
    await kernel.readTable(router);
    await quiet();
    expect(disturbances).toBe(0);
  });

  test('a refused change of ours does not hide one of another', async () => {
    const refusals = Promise.allSettled(Array.from({ length: 5 }, () => kernel.run(router, 'delete table ip nowhere')));
    await nft(router, `add element ${element(80)}`);
    await refusals;
    await expect.poll(() => disturbances).toBe(1);
  });

  test('more news than the kernel keeps for us is taken for a disturbance', async () => {
    // While this keeps the worker from reading, a few thousand notifications fill its socket's buffer.
    const busy = Array.from({ length: driver === 'nft' ? 15 : 60 }, () => kernel.rehearse(FRESH));
    const many = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const set = 'add table ip other\nadd set ip other s { type ipv4_addr ; }\n';
    await stranger.run(router, `${set}add element ip other s { ${many.join(',')} }\n`);
    await Promise.all(busy);
    await expect.poll(() => disturbances).toBe(1);
  });

  test('none is lost among changes of our own at the same time, and none is invented', async () => {
    const rounds = driver === 'nft' ? 15 : 80;
    for (let round = 0; round < rounds; round++) {
      const ours = [1, 2, 3].map((port) => kernel.run(router, `add element ${element(port)}`));
      await Promise.all([...ours, stranger.run(router, `add element ${element(100)}`)]);
      await quiet();
      expect(disturbances).toBe(1);
      await kernel.readTable(router);
      await kernel.run(router, FRESH);
      disturbances = 0;
    }
    await quiet();
    expect(disturbances).toBe(0);
  });
});
