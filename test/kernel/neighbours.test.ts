import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLinuxNeighbours } from '../../src/dataplane/linux/linux-neighbours.ts';
import type { Neighbours } from '../../src/dataplane/neighbours.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel } from './linux-under-test.ts';

let namespaces: Namespaces;
let kernel: Kernel;
let neighbours: Neighbours;
let router: string;

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
  kernel = await openTestKernel();
  await kernel.attach(router);
  neighbours = createLinuxNeighbours(kernel);
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

describe.each(['iptables-nft', 'iptables-legacy'])('rules of %s', (program) => {
  const LINES = [
    '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
    '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -m comment --comment "-j \\"x\\" \\\\ 日本" -j DNAT --to-destination 10.0.0.5',
    '-A PREROUTING ! -s 198.51.100.0/24 -d 192.0.2.1/32 -p udp -m multiport --dports 1,2:3 -j DNAT --to-destination 10.0.0.5:8000-8010/1 --persistent',
    '-A mine -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
    '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
    '-A POSTROUTING -o eth0 -j MASQUERADE',
  ];
  const ruleOf = (text: string) => ({ instance: router, program, text });

  beforeEach(async () => {
    const text = ['*nat', ':mine - [0:0]', ...LINES, 'COMMIT', ''].join('\n');
    await runIn(router, `${program}-restore`, [], text);
  });

  async function saved(): Promise<readonly string[]> {
    const text = await runIn(router, `${program}-save`, ['-t', 'nat']);
    return text.split('\n').filter((line) => line.startsWith('-A'));
  }

  test('just these are taken away, and of two alike one', async () => {
    expect((await saved()).toSorted()).toEqual(LINES.toSorted());
    const wanted = [0, 1, 2, 3].map((at) => ruleOf(LINES[at] ?? ''));
    const removed = { outcome: 'removed', reason: null };
    expect(await neighbours.remove(router, wanted)).toEqual(wanted.map(() => removed));
    expect((await saved()).toSorted()).toEqual(LINES.slice(4).toSorted());
  });

  test('what is gone already, or cannot be taken away, keeps nothing else from going', async () => {
    await runIn(router, program, ['-t', 'nat', '-D', 'mine', '1']);
    const outcomes = await neighbours.remove(router, [ruleOf(LINES[1] ?? ''), ruleOf(LINES[3] ?? ''), ruleOf('-A x')]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['removed', 'gone', 'gone']);
    expect(await saved()).toHaveLength(LINES.length - 2);
    const broken = createLinuxNeighbours({
      ...kernel,
      run: (name, argv, input) => kernel.run(name, argv[0] === `${program}-restore` ? ['false'] : argv, input),
    });
    expect(await broken.remove(router, [ruleOf(LINES[2] ?? '')])).toEqual([
      { outcome: 'failed', reason: `${program}-restore ended with 1` },
    ]);
  });
});

test('nothing is taken away where there is nothing', async () => {
  expect(await neighbours.remove(router, [])).toEqual([]);
  const rule = { instance: 'elsewhere', program: 'iptables-nft', text: '-A PREROUTING -j ACCEPT' };
  await expect(neighbours.remove('elsewhere', [rule])).rejects.toMatchObject({ code: 'namespace_gone' });
});
