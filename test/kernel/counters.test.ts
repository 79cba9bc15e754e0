import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Counters } from '../../src/model/counters.ts';
import { diff } from '../../src/program/diff.ts';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { linuxOver, linuxTable, openTestKernel, type Started, startLinux } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const NOTHING = { packets: 0, bytes: 0 };

let network: Network;
let linux: Started;
let client: Peer;
let instance: Peer;
let router: Peer;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  router = await openPeer(network.router);
  await instance.serveTcp(22);
  await instance.serveTcp(5005);
  for (const family of FAMILIES) await instance.serveUdp(22, INSTANCE[family]);
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await router?.[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

describe.each(FAMILIES)('by IPv%i', (family) => {
  const [gateway, target, own] = [GATEWAY[family], INSTANCE[family], CLIENT[family]];
  const program = programOf([
    ruleOf(1, 'tcp', [gateway, 5001], [target, 22]),
    ruleOf(2, 'udp', [gateway, '5001-5003'], [target, 22]),
    ruleOf(3, 'tcp', [gateway, '5005-5006'], [target, '5005-5006'], own),
    ruleOf(4, 'tcp', [gateway, '5010-5012'], [target, '21-23']),
    ruleOf(5, 'tcp', [gateway, 6001], [target, 22]),
  ]);

  beforeEach(async () => {
    await linux.dataplane.clean(network.router);
    await linux.dataplane.synchronise(network.router, program);
  });

  async function countersOf(id: number): Promise<Counters | undefined> {
    return (await linux.dataplane.counters(network.router, null)).get(idOf(id));
  }

  test('connections, and what goes through them in both directions, of each forward alone', async () => {
    for (let round = 0; round < 3; round++) await client.connect(gateway, 5001);
    for (const port of [5001, 5002]) await client.ask(gateway, port, { localPort: 40_000 });
    await client.connect(gateway, 5005);
    await client.connect(gateway, 5011);
    const { id } = await client.open(gateway, 5011);
    const before = await countersOf(4);
    await client.echo(id, 'x'.repeat(1000));
    expect(await countersOf(1)).toMatchObject({ connections: 3 });
    expect(await countersOf(2)).toMatchObject({ connections: 2, in: { packets: 2 }, out: { packets: 2 } });
    expect(await countersOf(3)).toMatchObject({ connections: 1 });
    expect(before).toMatchObject({ connections: 2 });
    const after = await countersOf(4);
    for (const direction of ['in', 'out'] as const) {
      const grown = (after?.[direction]?.bytes ?? 0) - (before?.[direction]?.bytes ?? 0);
      expect(grown).toBeGreaterThan(1000);
      expect(grown).toBeLessThan(1500);
    }
    expect(await countersOf(5)).toEqual({ connections: 0, in: NOTHING, out: NOTHING });
  });

  test('of what the router itself sends and gets', async () => {
    for (const port of [5002, 5002]) await router.ask(gateway, port, { localPort: 40_001 });
    expect(await countersOf(2)).toMatchObject({ connections: 1, in: { packets: 2 }, out: { packets: 2 } });
    expect(await countersOf(1)).toEqual({ connections: 0, in: NOTHING, out: NOTHING });
  });

  test('not of another forward that has the port by which others masquerade a client', async () => {
    const ip = family === 4 ? 'ip' : 'ip6';
    await nft(
      network.router,
      `table ${ip} others {
        chain postrouting {
          type nat hook postrouting priority srcnat;
          ct status dnat snat to ${gateway}
        }
      }`,
    );
    const wide = ruleOf(6, 'udp', [gateway, '30000-40000'], [target, 22]);
    await linux.dataplane.apply(network.router, { remove: [], add: [wide] });
    for (const localPort of [35_000, 35_000]) {
      expect(await client.ask(gateway, 5001, { localPort })).toBe(`${gateway} ${localPort}`);
    }
    expect(await countersOf(2)).toMatchObject({ connections: 1, in: { packets: 2 }, out: { packets: 2 } });
    expect(await countersOf(6)).toEqual({ connections: 0, in: NOTHING, out: NOTHING });
    await nft(network.router, `delete table ${ip} others`);
  });

  test('a restart, and a change of another forward, leave them as they are', async () => {
    await client.connect(gateway, 5001);
    await client.connect(gateway, 5005);
    const before = await untilLevel(async () => [await countersOf(1), await countersOf(3)]);
    const next = programOf([...program.values()].filter(({ forward }) => forward !== idOf(4)));
    await linux.dataplane.apply(network.router, diff(program, next));
    await linux[Symbol.asyncDispose]();
    linux = await startLinux(network.namespaces.prefix);
    await linux.dataplane.synchronise(network.router, next);
    expect([await countersOf(1), await countersOf(3)]).toEqual(before);
    expect(before[0]?.connections).toBe(1);
    expect(await countersOf(4)).toBeUndefined();
  });
});

test('accounting can be switched off: then only connections are counted, and nothing is looked at for packets', async () => {
  const kernel = await openTestKernel({ table: linuxTable(false) });
  const plain = linuxOver(kernel, network.namespaces.prefix, { accounting: false });
  await plain.start(() => {});
  const program = programOf([ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22])]);
  expect((await plain.synchronise(network.router, program)).corrections).toBeGreaterThan(0);
  await client.connect(GATEWAY[4], 5001);
  expect(await plain.counters(network.router, null)).toEqual(
    new Map([[idOf(1), { connections: 1, in: null, out: null }]]),
  );
  await plain.stop();
});

/** What is read when two readings are alike: the last packets of a connection come when it has ended for its client. */
async function untilLevel<Value>(read: () => Promise<Value>): Promise<Value> {
  let last = await read();
  await eventually(async () => {
    const before = last;
    await pause(100);
    last = await read();
    expect(last).toEqual(before);
  });
  return last;
}
