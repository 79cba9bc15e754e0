import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { KernelWay, Observation, WatchedFlow } from '../../src/model/observation.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;

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
  await instance.serveUdp(53, INSTANCE[4]);
  await router.serveTcp(7000);
});

afterAll(async () => {
  for (const opened of [client, instance, router, linux, network]) await opened?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await nft(network.router, 'flush ruleset');
  await runIn(network.router, 'conntrack', ['--flush']);
  await linux.dataplane.synchronise(
    network.router,
    programOf([
      ...FAMILIES.map((family) => ruleOf(family, 'tcp', [GATEWAY[family], 5001], [INSTANCE[family], 22])),
      ruleOf(1, 'udp', [GATEWAY[4], 5001], [INSTANCE[4], 53]),
    ]),
  );
});

function flowTo(port: number, differences: Partial<WatchedFlow> = {}, family: 4 | 6 = 4): WatchedFlow {
  const [source, destination] = [parseAddress(CLIENT[family]), parseAddress(GATEWAY[family])];
  return { protocol: 'tcp', source, sourcePort: null, destination, port, ...differences };
}

async function watchTables(): Promise<number> {
  return (await runIn(network.router, 'nft', ['list', 'tables'])).split('hatoba_watch_').length - 1;
}

function watch(flow: WatchedFlow, seconds = 60, signal = new AbortController().signal): Promise<Observation | null> {
  return linux.dataplane.observe(network.router, flow, { seconds, signal });
}

/** What is seen while the work is done, which begins once the kernel watches. */
async function observed(flow: WatchedFlow, work: () => Promise<unknown>): Promise<Observation | null> {
  const before = await watchTables();
  const result = watch(flow);
  await eventually(async () => expect(await watchTables()).toBe(before + 1));
  const done = work().catch(() => undefined);
  const observation = await result;
  await done;
  return observation;
}

const placesOf = (way: KernelWay | undefined | null) =>
  way?.steps
    .filter(({ handle }) => handle !== null)
    .map(({ table, chain, rule, verdict }) => `${table} ${chain}: ${rule} / ${verdict}`);

describe.each(FAMILIES)('by IPv%i', (family) => {
  const ip = family === 4 ? 'ip' : 'ip6';

  test('a connection: its way in, and the way of the answer', async () => {
    const observation = await observed(flowTo(5001, {}, family), () => client.connect(GATEWAY[family], 5001));
    expect(observation).toMatchObject({
      instance: network.router,
      knownFlow: false,
      way: {
        arrived: { source: CLIENT[family], destination: GATEWAY[family], destinationPort: 5001 },
        from: OUTSIDE,
        outcome: 'forwarded',
        left: { source: CLIENT[family], destination: INSTANCE[family], destinationPort: 22 },
        to: INSIDE,
      },
      reply: {
        arrived: { source: INSTANCE[family], sourcePort: 22, destination: CLIENT[family] },
        from: INSIDE,
        outcome: 'forwarded',
        left: { source: GATEWAY[family], sourcePort: 5001, destination: CLIENT[family] },
        to: OUTSIDE,
      },
    });
    expect(placesOf(observation?.way)).toEqual(
      expect.arrayContaining([
        'inet hatoba prerouting: jump translate / jump translate',
        `inet hatoba translate: dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @exact${family} / accept`,
      ]),
    );
    expect(observation?.way.steps.every(({ ours }) => ours)).toBe(true);
    expect(observation?.way.arrived.sourcePort).toBe(observation?.reply?.left?.destinationPort);
  });

  test('what others drop', async () => {
    await nft(
      network.router,
      `table inet theirs {
        chain decide {
          ${ip} daddr ${INSTANCE[family]} tcp dport 22 drop
        }
        chain before {
          type filter hook prerouting priority -300
          counter
        }
        chain guard {
          type filter hook forward priority 0
          jump decide
        }
      }
      `,
    );
    const observation = await observed(flowTo(5001, {}, family), () => client.connect(GATEWAY[family], 5001, 200));
    expect(observation).toMatchObject({ way: { outcome: 'dropped', left: null, to: null }, reply: null });
    const theirs = observation?.way.steps.filter(({ ours }) => !ours);
    expect(theirs).toMatchObject([
      {
        table: 'inet theirs',
        chain: 'before',
        rule: 'counter',
        base: { type: 'filter', hook: 'prerouting', priority: -300 },
      },
      { chain: 'before', handle: null, rule: null, verdict: 'accept' },
      { chain: 'guard', rule: 'jump decide', base: { hook: 'forward' } },
      { chain: 'decide', rule: `${ip} daddr ${INSTANCE[family]} tcp dport 22 drop`, base: null, verdict: 'drop' },
    ]);
  });

  test('a packet of a connection that is there already', async () => {
    const { id } = await client.open(GATEWAY[family], 5001);
    const observation = await observed(flowTo(5001, {}, family), () => client.echo(id, 'x'));
    expect(observation).toMatchObject({ knownFlow: true, way: { left: { destination: INSTANCE[family] } } });
    expect(observation?.way.steps.some(({ base }) => base?.type === 'nat')).toBe(false);
    await client.close(id);
  });
});

test('only what was asked for is caught', async () => {
  const ask = (localPort: number) => client.ask(GATEWAY[4], 5001, { localPort });
  const observation = await observed(flowTo(5001, { protocol: 'udp', sourcePort: 4001 }), async () => {
    await client.connect(GATEWAY[4], 5001);
    await ask(4000);
    await client.ask(GATEWAY[4], 5002, { localPort: 4001, patience: 200 }).catch(() => undefined);
    await ask(4001);
  });
  expect(observation).toMatchObject({
    way: {
      arrived: { sourcePort: 4001, destinationPort: 5001 },
      left: { destination: INSTANCE[4], destinationPort: 53 },
    },
    reply: { left: { source: GATEWAY[4], sourcePort: 5001, destinationPort: 4001 } },
  });
});

test('what is for the router itself, and what it sends', async () => {
  const arriving = await observed(flowTo(7000), () => client.connect(GATEWAY[4], 7000));
  expect(arriving).toMatchObject({
    way: { outcome: 'delivered', left: { destination: GATEWAY[4], destinationPort: 7000 }, to: null },
    reply: { from: null, outcome: 'forwarded', to: OUTSIDE },
  });
  const own = flowTo(5001, { source: parseAddress(GATEWAY[4]) });
  expect(await observed(own, () => router.connect(GATEWAY[4], 5001))).toMatchObject({
    way: { from: null, outcome: 'forwarded', left: { destination: INSTANCE[4], destinationPort: 22 }, to: INSIDE },
    reply: { from: INSIDE, outcome: 'delivered' },
  });
});

test('what no route takes is lost', async () => {
  await runIn(network.router, 'ip', ['route', 'add', 'blackhole', '192.0.2.0/24']);
  const gone = programOf([ruleOf(1, 'tcp', [GATEWAY[4], 5001], ['192.0.2.9', 22])]);
  await linux.dataplane.synchronise(network.router, gone);
  const observation = await observed(flowTo(5001), () => client.connect(GATEWAY[4], 5001, 200));
  expect(observation).toMatchObject({ way: { outcome: 'lost', left: null, to: null }, reply: null });
});

test('two at once do not disturb each other; too many are refused', async () => {
  const waiting = new AbortController();
  const others = [flowTo(5001, { sourcePort: 1 }), flowTo(1), flowTo(2)];
  const wide = watch(flowTo(5001));
  const more = others.map((flow) => watch(flow, 60, waiting.signal));
  await expect(watch(flowTo(3))).rejects.toMatchObject({ code: 'watches_exhausted' });
  await eventually(async () => expect(await watchTables()).toBe(4));
  await client.connect(GATEWAY[4], 5001);
  const observation = await wide;
  expect(observation).toMatchObject({ way: { outcome: 'forwarded' } });
  expect(observation?.way.steps.some(({ table }) => table.includes('watch'))).toBe(false);
  waiting.abort();
  expect(await Promise.all(more)).toEqual([null, null, null]);
  expect(await watchTables()).toBe(0);
});

test('nothing is left when nobody waits any more, and no alarm was raised by any of it', async () => {
  const waiting = new AbortController();
  const result = watch(flowTo(5001), 60, waiting.signal);
  await eventually(async () => expect(await watchTables()).toBe(1));
  const before = linux.events.length;
  await linux.dataplane.apply(network.router, {
    remove: [],
    add: [ruleOf(9, 'tcp', [GATEWAY[4], 5009], [INSTANCE[4], 22])],
  });
  waiting.abort();
  expect(await result).toBeNull();
  expect(await watchTables()).toBe(0);
  await linux.dataplane.counters(network.router, null);
  expect(linux.events.slice(before)).toEqual([]);
});

test('a table that is watched by cannot be taken away by others, and goes with the kernel room', async () => {
  const other = await startLinux(network.namespaces.prefix);
  const result = other.dataplane.observe(network.router, flowTo(5001), {
    seconds: 30,
    signal: new AbortController().signal,
  });
  const refused = expect(result).rejects.toMatchObject({
    code: expect.stringMatching(/^(namespace_gone|kernel_stopped)$/),
  });
  await eventually(async () => expect(await watchTables()).toBe(1));
  await nft(network.router, 'flush ruleset');
  expect(await watchTables()).toBe(1);
  await other[Symbol.asyncDispose]();
  await refused;
  await eventually(async () => expect(await watchTables()).toBe(0));
});

test('tables of iptables-legacy are named', async () => {
  await runIn(network.router, 'iptables-legacy', ['--table', 'mangle', '--list']);
  const observation = await observed(flowTo(5001), () => client.connect(GATEWAY[4], 5001));
  expect(observation?.legacyTables).toEqual(['mangle']);
});

test.each(['iptables-nft', 'iptables-legacy'] as const)('where forwards are made by %s', async (place) => {
  await linux.dataplane.clean(network.router);
  await linux[Symbol.asyncDispose]();
  linux = await startLinuxAt(network.namespaces.prefix, place);
  await linux.dataplane.synchronise(
    network.router,
    programOf([ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22])]),
  );
  const observation = await observed(flowTo(5001), () => client.connect(GATEWAY[4], 5001));
  expect(observation).toMatchObject({
    way: { outcome: 'forwarded', left: { destination: INSTANCE[4], destinationPort: 22 } },
    reply: { left: { source: GATEWAY[4], sourcePort: 5001 } },
  });
  const ours = observation?.way.steps.filter((step) => step.ours).map(({ table, chain }) => `${table} ${chain}`);
  // Whether it is seen to pass the chain in postrouting, which has nothing to do to it, differs by the version of iptables.
  expect(ours?.slice(0, 1)).toEqual(place === 'iptables-nft' ? ['ip nat hatoba-prerouting'] : []);
  expect(observation?.legacyTables.includes('nat')).toBe(place === 'iptables-legacy');
  await linux.dataplane.clean(network.router);
  await linux[Symbol.asyncDispose]();
  linux = await startLinux(network.namespaces.prefix);
});

test('a router that goes away ends what waits there', async () => {
  const refused = expect(watch(flowTo(5001), 30)).rejects.toMatchObject({ code: 'namespace_gone' });
  await eventually(async () => expect(await watchTables()).toBe(1));
  await network.removeRouter();
  await refused;
});
