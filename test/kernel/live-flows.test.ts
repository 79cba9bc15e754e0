import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { runIn } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, INSTANCE_TOO, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;

let network: Network;
let linux: Started;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  for (const port of [22, 5005, 5006]) await instance.serveTcp(port);
  for (const family of FAMILIES) await instance.serveUdp(53, INSTANCE[family]);
});

afterAll(async () => {
  for (const opened of [client, instance, linux, network]) await opened?.[Symbol.asyncDispose]();
});

describe.each(FAMILIES)('by IPv%i', (family) => {
  const [gateway, target] = [GATEWAY[family], INSTANCE[family]];
  const program = programOf([
    ruleOf(1, 'tcp', [gateway, 5001], [target, 22]),
    ruleOf(2, 'udp', [gateway, '5001-5003'], [target, 53]),
    ruleOf(3, 'tcp', [gateway, '5005-5006'], [target, '5005-5006'], CLIENT[family]),
    ruleOf(4, 'tcp', [gateway, '5005-5006'], [INSTANCE_TOO[family], '5005-5006'], `${INSTANCE[family]}`),
    ruleOf(5, 'tcp', [gateway, '5010-5012'], [target, '21-23']),
    ruleOf(6, 'tcp', [gateway, 6001], [target, 22]),
  ]);

  beforeEach(async () => {
    await linux.dataplane.clean(network.router);
    await linux.dataplane.synchronise(network.router, program);
    await runIn(network.router, 'conntrack', ['--flush']);
  });

  const live = async (of = program) => Object.fromEntries(await linux.dataplane.liveFlows(network.router, of));

  test('each forward has its own flows, and those that have ended are none', async () => {
    expect(await live()).toEqual({});
    const open = await Promise.all([5001, 5001, 5006, 5011].map((port) => client.open(gateway, port)));
    for (const port of [5001, 5003]) await client.ask(gateway, port, { localPort: 40_000 });
    await client.connect(gateway, 6001);
    const counted = { [idOf(1)]: 2, [idOf(2)]: 2, [idOf(3)]: 1, [idOf(5)]: 1 };
    await eventually(async () => expect(await live()).toEqual(counted));
    expect(await live(programOf([ruleOf(3, 'tcp', [gateway, '5005-5006'], [target, '5005-5006'])]))).toEqual({
      [idOf(3)]: 1,
    });
    for (const { id } of open) await client.close(id);
    await eventually(async () => expect(await live()).toEqual({ [idOf(2)]: 2 }));
  });

  test('what goes elsewhere is not counted', async () => {
    const { id } = await client.open(gateway, 5001);
    const elsewhere = programOf([ruleOf(1, 'tcp', [gateway, 5001], [target, 23])]);
    expect([await live(), await live(elsewhere)]).toEqual([{ [idOf(1)]: 1 }, {}]);
    await client.close(id);
  });
});

test('how full connection tracking is', async () => {
  await runIn(network.router, 'conntrack', ['--flush']);
  const before = await linux.dataplane.flowUsage(network.router);
  await linux.dataplane.synchronise(
    network.router,
    programOf([ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22])]),
  );
  for (let round = 0; round < 3; round++) await client.connect(GATEWAY[4], 5001);
  const { entries, limit } = await linux.dataplane.flowUsage(network.router);
  expect(entries - before.entries).toBe(3);
  expect(limit).toBe(Number(await runIn(network.router, 'sysctl', ['--values', 'net.netfilter.nf_conntrack_max'])));
});
