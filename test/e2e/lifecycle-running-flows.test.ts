import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BACKENDS } from '../../src/dataplane/linux/backend.ts';
import { nft, runIn } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const FAMILIES = [4, 6] as const;
type Family = (typeof FAMILIES)[number];
/** Ports of the target: what is to end, and what goes on beside it. */
const [ENDING, OTHER] = [5001, 22] as const;
/** Between two datagrams of a stream, in ms. */
const PAUSE = 20;

const STRANGERS = { 4: '192.0.2.0/24', 6: '2001:db8:99::/64' } as const;

/** What is done to forwards, and the state that they come to. */
const ENDINGS = [
  ['disabled', () => ({ enabled: false }), 'disabled'],
  ['expired', () => ({ expires_in: 1 }), 'expired'],
  ['narrowed to other sources', (family: Family) => ({ sources: [STRANGERS[family]] }), 'active'],
] as const;

let network: Network;
let home: DaemonHome;
let client: Peer;
let streamer: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  [client, streamer] = [await openPeer(network.client), await openPeer(network.client)];
  instance = await openPeer(network.instance);
  for (const port of [ENDING, OTHER]) {
    await instance.serveTcp(port);
    for (const family of FAMILIES) await instance.serveUdp(port, INSTANCE[family]);
  }
  // What arrives at the target, whatever becomes of it there.
  await nft(
    network.instance,
    `table inet seen {
      chain arriving {
        type filter hook prerouting priority raw;
        meta l4proto { 6, 17 } th dport ${ENDING} counter
      }
    }`,
  );
});

afterAll(async () => {
  for (const opened of [client, streamer, instance, network]) await opened?.[Symbol.asyncDispose]();
});

/** How many packets have come to the port of the target that is to end. */
async function arrived(): Promise<number> {
  const text = await runIn(network.instance, 'nft', ['list', 'chain', 'inet', 'seen', 'arriving']);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

/** A datagram after the other by one flow for each family, until it is stopped, and a few at least; gives what was answered otherwise. */
function stream(port: number): { readonly stop: () => Promise<readonly string[]> } {
  const outcomes: string[] = [];
  let stopped = false;
  const flow = async (family: Family, localPort: number) => {
    while (!stopped || outcomes.length < 10) {
      const answer = await streamer.ask(GATEWAY[family], port, { localPort }).catch(String);
      outcomes.push(answer === `${CLIENT[family]} ${localPort}` ? 'answered' : answer);
      await sleep(PAUSE);
    }
  };
  const done = Promise.all(FAMILIES.map((family) => flow(family, ++lastPort)));
  return {
    async stop() {
      stopped = true;
      await done;
      return outcomes.filter((outcome) => outcome !== 'answered');
    },
  };
}

describe.each(BACKENDS)('by %s', (backend) => {
  beforeAll(async () => {
    const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
    home = await openDaemonHome({ neutron: false, routers, backend });
    await home.start();
  });

  afterEach(async () => {
    for (const { id } of await home.client.listForwards({})) await home.client.removeForward(id, '60');
  });

  afterAll(() => home?.[Symbol.asyncDispose]());

  /** The forward of each family and protocol. */
  async function publish(external_port: number, internal_port: number) {
    const forwards = FAMILIES.flatMap((family) => ['tcp', 'udp'].map((protocol) => ({ family, protocol })));
    return Promise.all(
      forwards.map(async ({ family, protocol }) => {
        const fields = { router: network.router, protocol, external_port, internal_address: INSTANCE[family] };
        const { id } = await home.client.createForward({ ...fields, internal_port }, '60');
        return { family, id };
      }),
    );
  }

  test.each(ENDINGS)('%s: its running connection and its stream end, all others go on', async (_, change, state) => {
    await publish(6001, OTHER);
    const forwards = await publish(5001, ENDING);
    const connections = await Promise.all(
      FAMILIES.map(async (family) => {
        const [other, ending] = [await client.open(GATEWAY[family], 6001), await client.open(GATEWAY[family], 5001)];
        for (const { greeting } of [other, ending]) expect(greeting.split(' ')[0]).toBe(CLIENT[family]);
        return { other: other.id, ending: ending.id };
      }),
    );
    const localPort = ++lastPort;
    for (const family of FAMILIES) {
      expect(await client.ask(GATEWAY[family], 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
    }
    const others = stream(6001);
    const before = await arrived();
    for (const { ending } of connections) expect(await client.echo(ending, 'running')).toBe('running');
    expect(await arrived()).toBeGreaterThan(before);

    for (const { id, family } of forwards) await home.client.updateForward(id, change(family), '60');
    await eventually(async () => {
      for (const { id } of forwards) expect((await home.client.getForward(id)).status.state).toBe(state);
    });

    const after = await arrived();
    for (const family of FAMILIES) {
      await expect(client.ask(GATEWAY[family], 5001, { localPort, patience: 200 })).rejects.toThrow('timeout');
    }
    for (const { ending, other } of connections) {
      await expect(client.echo(ending, 'ended', 300)).rejects.toThrow();
      expect(await client.echo(other, 'on')).toBe('on');
    }
    expect(await arrived()).toBe(after);
    expect(await others.stop()).toEqual([]);
  });
});
