import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programOf, ruleOf } from '../program/programs.ts';
import { linesOf } from '../program/rule-lines.ts';
import { nft, runIn } from '../support/command.ts';
import { trackedFlow } from '../support/conntrack.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { listedRules as listedByIptables, programsOf } from './iptables-listing.ts';
import { PLACES, type Place, startLinuxAt } from './linux-under-test.ts';
import { listedRules } from './nft-listing.ts';

const FAMILIES = [4, 6] as const;
const PROGRAM = programOf(
  FAMILIES.flatMap((family) => [
    ruleOf(10 * family, 'tcp', [GATEWAY[family], 5001], [INSTANCE[family], 22]),
    ruleOf(10 * family + 1, 'udp', [GATEWAY[family], '5001-5003'], [INSTANCE[family], '22-24']),
  ]),
);
const SWITCHES = PLACES.flatMap((from) => PLACES.flatMap((to) => (from === to ? [] : [[from, to] as const])));

let network: Network;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  for (const family of FAMILIES) for (const port of [22, 23]) await instance.serveUdp(port, INSTANCE[family]);
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

function contentsOf(place: Place): Promise<readonly string[] | null> {
  return place === 'nftables' ? listedRules(network.router) : listedByIptables(network.router, place);
}

/** The flow's own number in the kernel: another one that has taken its place has another. */
async function flowId(family: 4 | 6, from: number): Promise<string | undefined> {
  return (await trackedFlow(network.router, { family, protocol: 'udp', from, to: 5002 }))?.id;
}

/** Connects again and again, by either family, until it is stopped, and a few times at least; gives what came of it. */
function connectMeanwhile(): { readonly stop: () => Promise<readonly string[]> } {
  let stopped = false;
  const outcomes: string[] = [];
  const work = async () => {
    while (!stopped || outcomes.length < 6) {
      for (const family of FAMILIES) {
        const greeting = await client.connect(GATEWAY[family], 5001).catch(String);
        outcomes.push(greeting.startsWith(`${CLIENT[family]} `) ? 'through' : greeting);
      }
    }
    return outcomes;
  };
  const done = work();
  return {
    stop() {
      stopped = true;
      return done;
    },
  };
}

describe.each(SWITCHES)('from %s to %s', (from, to) => {
  test('sessions and streams go on, nobody is refused meanwhile, and nothing is left behind', async () => {
    const first = await startLinuxAt(network.namespaces.prefix, from);
    await first.dataplane.synchronise(network.router, PROGRAM);
    const running = [];
    for (const family of FAMILIES) {
      const [session, sourcePort] = [await client.open(GATEWAY[family], 5001), ++lastPort];
      await client.ask(GATEWAY[family], 5002, { localPort: sourcePort });
      running.push({ family, session: session.id, sourcePort, flow: await flowId(family, sourcePort) });
    }

    const meanwhile = connectMeanwhile();
    await first[Symbol.asyncDispose]();
    await using second = await startLinuxAt(network.namespaces.prefix, to);
    await second.dataplane.synchronise(network.router, PROGRAM);
    const outcomes = await meanwhile.stop();

    expect(new Set(outcomes)).toEqual(new Set(['through']));
    for (const { family, session, sourcePort, flow } of running) {
      expect(await client.echo(session, 'still here')).toBe('still here');
      const answer = await client.ask(GATEWAY[family], 5002, { localPort: sourcePort });
      expect(answer).toBe(`${CLIENT[family]} ${sourcePort}`);
      expect(flow).toBeDefined();
      expect(await flowId(family, sourcePort)).toBe(flow);
    }
    expect(await contentsOf(from)).toBeNull();
    expect(await contentsOf(to)).toEqual([...PROGRAM.values()].flatMap(linesOf).sort());
    expect(second.warnings).toEqual([]);

    await second.dataplane.clean(network.router);
    for (const place of PLACES) expect(await contentsOf(place)).toBeNull();
  });
});

test('flows of what is not wanted any more end with the switch', async () => {
  await using first = await startLinuxAt(network.namespaces.prefix, 'nftables');
  await first.dataplane.synchronise(network.router, PROGRAM);
  const { id } = await client.open(GATEWAY[4], 5001);
  await using second = await startLinuxAt(network.namespaces.prefix, 'iptables-nft');
  await second.dataplane.synchronise(network.router, new Map([...PROGRAM].slice(1)));
  await expect(client.echo(id, 'hello', 300)).rejects.toThrow();
  await second.dataplane.clean(network.router);
});

test('clean takes away what any of them has written, and leaves what others have', async () => {
  const theirs = '-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1';
  for (const iptables of ['iptables-nft', 'iptables-legacy'] as const) {
    const chains = [':hatoba-prerouting - [0:0]', ':hatoba-postrouting - [0:0]', '-I PREROUTING -j hatoba-prerouting'];
    const lines = ['*nat', ...chains, theirs, 'COMMIT', ''].join('\n');
    await runIn(network.router, `${iptables}-restore`, ['--noflush'], lines);
  }
  await nft(network.router, 'add table inet hatoba');
  await using linux = await startLinuxAt(network.namespaces.prefix, 'nftables');
  await linux.dataplane.clean(network.router);
  for (const place of PLACES) expect(await contentsOf(place)).toBeNull();
  for (const iptables of ['iptables-nft', 'iptables-legacy'] as const) {
    const saved = await runIn(network.router, `${iptables}-save`, ['-t', 'nat']);
    expect(saved.match(/^-A .*/gm)).toEqual([theirs]);
    for (const program of programsOf(iptables)) await runIn(network.router, `${program}-restore`, [], '*nat\nCOMMIT\n');
  }
});
