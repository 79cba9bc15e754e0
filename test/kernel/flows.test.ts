import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { diff } from '../../src/program/diff.ts';
import type { Program } from '../../src/program/rule.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { clientPortOf, trackedFlow } from '../support/conntrack.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { PLACES, type Place, type Started, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const EVERYWHERE = PLACES.flatMap((place) => FAMILIES.map((family) => [place, family] as const));
const NOTHING: Program = new Map();

let network: Network;
let linux: Started | undefined;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  for (const port of [22, 5001, 5005]) await instance.serveTcp(port);
  for (const family of FAMILIES) for (const port of [22, 23]) await instance.serveUdp(port, INSTANCE[family]);
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

// A connection that is still open would go on in the next test, and be tracked there as a flow that began in it.
afterEach(async () => {
  await Promise.all([client?.reset(), instance?.reset()]);
});

/** From here on forwards are programmed by this. */
async function programBy(place: Place): Promise<void> {
  await linux?.[Symbol.asyncDispose]();
  linux = await startLinuxAt(network.namespaces.prefix, place);
}

describe.each(EVERYWHERE)('by %s, by IPv%i', (place, family) => {
  beforeAll(() => programBy(place));

  const [gateway, target] = [GATEWAY[family], INSTANCE[family]];
  /** Beside what each test is about: it must not be noticed by these. */
  const others = [ruleOf(100, 'tcp', [gateway, 6001], [target, 22]), ruleOf(101, 'udp', [gateway, 6001], [target, 22])];
  let otherPort: number;
  let otherConnection: number;
  let otherFlows: () => Promise<readonly (string | undefined)[]>;
  let otherIds: readonly (string | undefined)[];
  let present: Program;

  beforeEach(async () => {
    present = NOTHING;
    await linux?.dataplane.clean(network.router);
    await change();
    otherPort = ++lastPort;
    const { id, greeting } = await client.open(gateway, 6001);
    otherConnection = id;
    await client.ask(gateway, 6001, { localPort: otherPort });
    otherFlows = () => Promise.all([flowId('tcp', clientPortOf(greeting), 6001), flowId('udp', otherPort, 6001)]);
    otherIds = await otherFlows();
    expect(otherIds).not.toContain(undefined);
  });

  /** Makes these the rules, beside the others. */
  async function change(...rules: Parameters<typeof programOf>[0]): Promise<void> {
    const next = programOf([...others, ...rules]);
    await linux?.dataplane.apply(network.router, diff(present, next));
    present = next;
  }

  async function flowId(protocol: 'tcp' | 'udp', from: number, to: number): Promise<string | undefined> {
    return (await trackedFlow(network.router, { family, protocol, from, to }))?.id;
  }

  async function expectOthersGoOn(): Promise<void> {
    expect(await client.echo(otherConnection, 'still here')).toBe('still here');
    expect(await client.ask(gateway, 6001, { localPort: otherPort })).toBe(`${CLIENT[family]} ${otherPort}`);
    expect(await otherFlows()).toEqual(otherIds);
  }

  test('created: who has been knocking before gets through', async () => {
    const localPort = ++lastPort;
    await expect(client.ask(gateway, 5001, { localPort, patience: 200 })).rejects.toThrow('timeout');
    await change(ruleOf(1, 'udp', [gateway, 5001], [target, 22]));
    expect(await client.ask(gateway, 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
    await expectOthersGoOn();
  });

  test('removed: its flows end, by UDP and by TCP', async () => {
    const localPort = ++lastPort;
    await change(
      ...(['tcp', 'udp'] as const).map((protocol, id) => ruleOf(id, protocol, [gateway, 5001], [target, 22])),
    );
    const { id } = await client.open(gateway, 5001);
    await client.ask(gateway, 5001, { localPort });
    await change();
    await expect(client.ask(gateway, 5001, { localPort, patience: 200 })).rejects.toThrow('timeout');
    await expect(client.echo(id, 'hello', 300)).rejects.toThrow();
    await expectOthersGoOn();
  });

  test('turned to another port: its flows go there', async () => {
    const localPort = ++lastPort;
    await change(ruleOf(1, 'udp', [gateway, 5001], [target, 22]));
    await client.ask(gateway, 5001, { localPort });
    await change(ruleOf(1, 'udp', [gateway, 5001], [target, 23]));
    expect(await client.ask(gateway, 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
    const flow = await trackedFlow(network.router, { family, protocol: 'udp', from: localPort, to: 5001 });
    expect(flow?.line).toContain(' sport=23 ');
    await expectOthersGoOn();
  });

  test('a range that grows, and gets a new shape, keeps its flows; one that shrinks ends those outside', async () => {
    await change(ruleOf(1, 'tcp', [gateway, 5001], [target, 5001]));
    const { id } = await client.open(gateway, 5001);
    await change(ruleOf(1, 'tcp', [gateway, '5000-5009'], [target, '5000-5009']));
    expect(await client.echo(id, 'grown')).toBe('grown');
    const { id: second } = await client.open(gateway, 5005);
    await change(ruleOf(1, 'tcp', [gateway, '5000-5004'], [target, '5000-5004']));
    expect(await client.echo(id, 'shrunk')).toBe('shrunk');
    await expect(client.echo(second, 'outside', 300)).rejects.toThrow();
    await expectOthersGoOn();
  });

  test('a synchronise that is repeated, since something failed behind the write, ends no flow of what took another shape', async () => {
    await change(ruleOf(1, 'tcp', [gateway, 5001], [target, 5001]), ruleOf(2, 'tcp', [gateway, 5005], [target, 5005]));
    const { id: kept, greeting } = await client.open(gateway, 5001);
    const { id: gone } = await client.open(gateway, 5005);
    const flow = await flowId('tcp', clientPortOf(greeting), 5001);
    const before = present;
    await change(ruleOf(1, 'tcp', [gateway, '5000-5004'], [target, '5000-5004']));
    const farewell = { draining: new Set<never>(), gone: diff(before, present).remove };
    expect(await linux?.dataplane.synchronise(network.router, present, farewell)).toEqual({ corrections: 0 });
    expect(await client.echo(kept, 'grown')).toBe('grown');
    // The same one, and not another that began with what was sent now.
    expect(flow).toBeDefined();
    expect(await flowId('tcp', clientPortOf(greeting), 5001)).toBe(flow);
    await expect(client.echo(gone, 'gone', 300)).rejects.toThrow();
    await expectOthersGoOn();
  });

  test('a source that is no longer allowed ends; one that still is goes on', async () => {
    const own = CLIENT[family];
    await change(ruleOf(1, 'tcp', [gateway, 5001], [target, 5001], own, family === 4 ? '10.99.0.0/16' : 'fd99::/16'));
    const { id } = await client.open(gateway, 5001);
    await change(ruleOf(1, 'tcp', [gateway, 5001], [target, 5001], own));
    expect(await client.echo(id, 'allowed')).toBe('allowed');
    await change(ruleOf(1, 'tcp', [gateway, 5001], [target, 5001], family === 4 ? '10.99.0.0/16' : 'fd99::/16'));
    await expect(client.echo(id, 'refused', 300)).rejects.toThrow();
    await expectOthersGoOn();
  });

  const wholeTable = place === 'nftables' ? ['a table that is replaced as a whole'] : [];
  test.each(wholeTable)('%s keeps every flow that is right, and ends what it no longer has', async () => {
    const [kept, gone] = [
      ruleOf(1, 'tcp', [gateway, 5001], [target, 5001]),
      ruleOf(2, 'tcp', [gateway, 5005], [target, 5005]),
    ];
    await change(kept, gone);
    const [{ id: first }, { id: second }] = [await client.open(gateway, 5001), await client.open(gateway, 5005)];
    await nft(network.router, 'add rule inet hatoba prerouting counter');
    await linux?.dataplane.synchronise(network.router, programOf([...others, kept]));
    expect(await client.echo(first, 'kept')).toBe('kept');
    await expect(client.echo(second, 'gone', 300)).rejects.toThrow();
    await expectOthersGoOn();
  });

  test('cleaned: none is left', async () => {
    await linux?.dataplane.clean(network.router);
    // Whatever a client sends now begins another flow, which leads nowhere.
    for (const id of await otherFlows()) expect(otherIds).not.toContain(id);
    await expect(client.echo(otherConnection, 'gone', 300)).rejects.toThrow();
  });

  test('flows of somebody else’s translation at a port that was ours are left alone', async () => {
    const program = family === 4 ? 'iptables' : 'ip6tables';
    const destination = family === 4 ? `${target}:22` : `[${target}]:22`;
    const theirs = ['-d', gateway, '-p', 'tcp', '--dport', '5001', '-j', 'DNAT', '--to-destination', destination];
    await runIn(network.router, program, ['-t', 'nat', '-A', 'PREROUTING', ...theirs]);
    const { id } = await client.open(gateway, 5001);
    await linux?.dataplane.apply(network.router, {
      remove: [],
      add: [ruleOf(1, 'tcp', [gateway, 5002], [target, 5005])],
    });
    expect(await client.echo(id, 'theirs')).toBe('theirs');
    await linux?.dataplane.clean(network.router);
    expect(await client.echo(id, 'theirs')).toBe('theirs');
    await runIn(network.router, program, ['-t', 'nat', '-F', 'PREROUTING']);
  });
});

test('one stream among 2,000 flows is found', async () => {
  await programBy('nftables');
  await linux?.dataplane.clean(network.router);
  const rules = [ruleOf(1, 'udp', [GATEWAY[4], '1000-2999'], [INSTANCE[4], 22])];
  await linux?.dataplane.synchronise(network.router, programOf(rules));
  for (let port = 1000; port < 3000; port++) {
    await client.ask(GATEWAY[4], port, { localPort: 20_000 });
  }
  const narrower = [ruleOf(1, 'udp', [GATEWAY[4], '1001-2999'], [INSTANCE[4], 22])];
  await linux?.dataplane.synchronise(network.router, programOf(narrower));
  const left = await runIn(network.router, 'conntrack', ['-L', '-p', 'udp', '--orig-port-src', '20000']);
  const ports = left.matchAll(/^udp .*? dport=(\d+) /gm).map(([, port]) => Number(port));
  expect([...ports].sort((one, other) => one - other)).toEqual(Array.from({ length: 1_999 }, (_, at) => 1001 + at));
});
