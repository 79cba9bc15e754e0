import { mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { diff } from '../../src/program/diff.ts';
import type { Program } from '../../src/program/rule.ts';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip, run, runIn } from '../support/command.ts';
import { addInnerNetwork, LEFT, RIGHT, SECOND_GATEWAY } from '../support/inner-network.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import type { Iptables } from './iptables-listing.ts';
import { type Started, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const VARIANTS = ['iptables-nft', 'iptables-legacy'] as const;
const PROGRAM = programOf(
  FAMILIES.flatMap((family) => [
    ruleOf(10 * family, 'tcp', [GATEWAY[family], 5001], [INSTANCE[family], 22]),
    ruleOf(10 * family + 1, 'udp', [GATEWAY[family], 5001], [INSTANCE[family], 22]),
    ruleOf(10 * family + 2, 'udp', [GATEWAY[family], 6001], [INSTANCE[family], 22]),
    ruleOf(10 * family + 3, 'tcp', [GATEWAY[family], 6001], [INSTANCE[family], 22]),
    ruleOf(10 * family + 4, 'tcp', [GATEWAY[family], 80], [RIGHT[family], 8080]),
    ruleOf(10 * family + 5, 'udp', [GATEWAY[family], '50-59'], [RIGHT[family], 8080]),
  ]),
);

let network: Network;
let client: Peer;
let instance: Peer;
let left: Peer;
let right: Peer;
let rightMachine: string;
let router: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  const inner = await addInnerNetwork(network);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  left = await openPeer(inner.left);
  right = await openPeer(inner.right);
  rightMachine = inner.right;
  router = await openPeer(network.router);
  await instance.serveTcp(22);
  await right.serveTcp(8080);
  for (const family of FAMILIES) {
    await instance.serveUdp(22, INSTANCE[family]);
    await right.serveUdp(8080, RIGHT[family]);
  }
});

afterAll(async () => {
  for (const peer of [client, instance, left, right, router]) await peer?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** The address in a greeting, `198.51.100.5 40000`. */
const seen = (greeting: string) => greeting.split(' ')[0];
const without = (...ids: readonly number[]): Program =>
  programOf([...PROGRAM.values()].filter(({ forward }) => !ids.map(idOf).includes(forward)));

describe.each(VARIANTS)('by %s', (iptables) => {
  let linux: Started;

  beforeAll(async () => {
    linux = await startLinuxAt(network.namespaces.prefix, iptables);
  });

  beforeEach(() => linux.dataplane.synchronise(network.router, PROGRAM));

  afterAll(async () => {
    await linux?.dataplane.clean(network.router);
    await linux?.[Symbol.asyncDispose]();
  });

  describe.each(FAMILIES)('by IPv%i', (family) => {
    const gateway = GATEWAY[family];

    test('a client outside is seen as itself, and one in the target’s own network gets through', async () => {
      expect(seen(await client.connect(gateway, 80))).toBe(CLIENT[family]);
      expect(seen(await client.ask(gateway, 59))).toBe(CLIENT[family]);
      expect(seen(await left.connect(gateway, 80))).toBe(SECOND_GATEWAY[family]);
      expect(seen(await left.ask(gateway, 55))).toBe(SECOND_GATEWAY[family]);
      expect(seen(await left.connect(gateway, 5001))).toBe(LEFT[family]);
      expect(seen(await router.connect(gateway, 80))).toBe(gateway);
    });

    test('what others translate within one network is not masqueraded by us', async () => {
      const [own, target] = [SECOND_GATEWAY[family], family === 4 ? RIGHT[4] : `[${RIGHT[6]}]`];
      const program = family === 4 ? iptables : iptables.replace(/^ip/, 'ip6');
      const rule = `PREROUTING -d ${own} -p tcp --dport 82 -j DNAT --to-destination ${target}:8080`.split(' ');
      // So that the answer comes back through the router, and is translated back, whoever asked.
      const route = `${LEFT[family]}/${family === 4 ? 32 : 128} via ${own}`;
      await ip(rightMachine, `route add ${route}`);
      await runIn(network.router, program, ['-t', 'nat', '-A', ...rule]);
      expect(seen(await left.connect(own, 82))).toBe(LEFT[family]);
      await runIn(network.router, program, ['-t', 'nat', '-D', ...rule]);
      await ip(rightMachine, `route delete ${route}`);
    });

    test('what is removed ends, what is turned elsewhere goes there, and nothing else notices', async () => {
      const [port, other] = [++lastPort, ++lastPort];
      const [session, unrelated] = [await client.open(gateway, 5001), await client.open(gateway, 6001)];
      await client.ask(gateway, 5001, { localPort: port });
      await client.ask(gateway, 6001, { localPort: other });
      const fewer = without(10 * family, 10 * family + 1);
      await linux.dataplane.apply(network.router, diff(PROGRAM, fewer));
      await expect(client.echo(session.id, 'hello', 300)).rejects.toThrow();
      await expect(client.ask(gateway, 5001, { localPort: port, patience: 200 })).rejects.toThrow('timeout');
      const turned = programOf([...fewer.values(), ruleOf(1, 'udp', [gateway, 5001], [RIGHT[family], 8080])]);
      await linux.dataplane.apply(network.router, diff(fewer, turned));
      expect(await client.ask(gateway, 5001, { localPort: port })).toBe(`${CLIENT[family]} ${port}`);
      expect(await client.echo(unrelated.id, 'still here')).toBe('still here');
      expect(await client.ask(gateway, 6001, { localPort: other })).toBe(`${CLIENT[family]} ${other}`);
    });

    test('connections stay counted when others change, one by one or by the hundred', async () => {
      const id = idOf(10 * family + 3);
      const connections = async () => (await linux.dataplane.counters(network.router, id)).get(id)?.connections;
      const before = (await connections()) ?? 0;
      for (let round = 0; round < 3; round++) await client.connect(gateway, 6001);
      expect(await linux.dataplane.counters(network.router, id)).toEqual(
        new Map([[id, { connections: before + 3, in: null, out: null }]]),
      );
      const many = programOf([
        ...PROGRAM.values(),
        ...Array.from({ length: 500 }, (_, index) =>
          ruleOf(1_000 + index, 'tcp', [gateway, 10_000 + index], [INSTANCE[family], 22]),
        ),
      ]);
      await linux.dataplane.apply(network.router, diff(PROGRAM, without(10 * family + 4)));
      await linux.dataplane.synchronise(network.router, many);
      await linux.dataplane.apply(network.router, diff(many, PROGRAM));
      expect(await connections()).toBe(before + 3);
    });
  });

  describe('beside other rules of iptables', () => {
    const THEIRS = ['-A PREROUTING -j theirs', `-A theirs -d ${GATEWAY[4]}/32 -j DNAT --to-destination 10.20.0.99`];

    test('ours is put before what was put before it, and theirs stays as it is', async () => {
      // As Neutron's l3-agent does at each router update: others' rules go behind its own.
      const lines = [':theirs - [0:0]', '-F PREROUTING', ...THEIRS, '-A PREROUTING -j hatoba-prerouting'];
      await restore(iptables, lines);
      await expect(client.connect(GATEWAY[4], 5001, 300)).rejects.toThrow();
      const isDisturbed = () => linux.events.some(({ kind }) => kind === 'disturbed');
      if (iptables === 'iptables-nft') await expect.poll(isDisturbed).toBe(true);
      expect(await linux.dataplane.synchronise(network.router, PROGRAM)).toEqual({ corrections: 1 });
      expect(seen(await client.connect(GATEWAY[4], 5001))).toBe(CLIENT[4]);
      const saved = await runIn(network.router, `${iptables}-save`, ['-t', 'nat']);
      const rules = saved.match(/^-A (?:PREROUTING|theirs) .*/gm);
      expect(rules).toEqual(['-A PREROUTING -j hatoba-prerouting', ...THEIRS]);
      expect(await linux.dataplane.synchronise(network.router, PROGRAM)).toEqual({ corrections: 0 });
      await restore(iptables, ['-D PREROUTING -j theirs', '-F theirs', '-X theirs']);
    });

    test('a change meets what others did meanwhile, and refuses what does not fit', async () => {
      await restore(iptables, ['-F hatoba-prerouting']);
      const removal = diff(PROGRAM, without(40));
      await expect(linux.dataplane.apply(network.router, removal)).rejects.toMatchObject({ code: 'kernel_refused' });
    });
  });
});

async function restore(iptables: Iptables, lines: readonly string[]): Promise<void> {
  await runIn(network.router, `${iptables}-restore`, ['--noflush'], ['*nat', ...lines, 'COMMIT', ''].join('\n'));
}

test('to look at a namespace makes no table of iptables-legacy in it', async () => {
  const bare = network.namespaces.name('router-bare');
  await network.namespaces.add(bare);
  await using linux = await startLinuxAt(network.namespaces.prefix, 'iptables-legacy');
  await linux.dataplane.synchronise(bare, new Map());
  await linux.dataplane.clean(bare);
  expect(await runIn(bare, 'cat', ['/proc/thread-self/net/ip_tables_names'])).toBe('');
  expect(await linux.dataplane.counters(bare, null)).toEqual(new Map());
});

describe.each(VARIANTS)('while %s writes', (iptables) => {
  test.each([
    ['what a stranger changes beside it is told', ['add table ip nat; add chain ip nat stranger'], 1],
    ['what it changes itself is not', [], 0],
  ] as const)('%s', async (_, changes, times) => {
    const name = network.namespaces.name(`router-${iptables}-${times}`);
    await network.namespaces.add(name);
    await using linux = await startLinuxAt(network.namespaces.prefix, iptables);
    await using directory = await mkdtempDisposable(join(tmpdir(), 'hatoba-path-'));
    const program = (await run('which', [`${iptables}-restore`])).trim();
    const lines = ['#!/bin/sh', ...changes.map((change) => `nft '${change}'`), `exec ${program} "$@"`, ''];
    await writeFile(join(directory.path, `${iptables}-restore`), lines.join('\n'), { mode: 0o755 });
    vi.stubEnv('PATH', `${directory.path}:${process.env['PATH']}`);
    try {
      await linux.dataplane.synchronise(name, PROGRAM);
    } finally {
      vi.unstubAllEnvs();
    }
    await linux.dataplane.alive();
    expect(linux.events.filter(({ kind }) => kind === 'disturbed')).toHaveLength(times);
  });
});

test('without iptables, it is told what is missing; once it is installed, all is well', async () => {
  await using linux = await startLinuxAt(network.namespaces.prefix, 'iptables-nft');
  await using directory = await mkdtempDisposable(join(tmpdir(), 'hatoba-path-'));
  await symlink('/usr/bin/nsenter', join(directory.path, 'nsenter'));
  vi.stubEnv('PATH', directory.path);
  const synchronising = linux.dataplane.synchronise(network.router, PROGRAM);
  await expect(synchronising).rejects.toThrow('this machine has no iptables');
  vi.unstubAllEnvs();
  await linux.dataplane.synchronise(network.router, PROGRAM);
  await linux.dataplane.clean(network.router);
});
