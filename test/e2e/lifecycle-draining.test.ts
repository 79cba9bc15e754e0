import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { HatobaError } from '../../src/model/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { nft, runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const FAMILIES = [4, 6] as const;
/** Each daemon is killed within so many milliseconds of being asked to remove. */
const KILLS = 10;
const MOMENT = 30;
/** So many ports have a flow of each protocol while the table is flushed. */
const FLUSHED = 20;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  home = await openDaemonHome({ neutron: false, routers });
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  for (const family of FAMILIES) await instance.serveUdp(22, INSTANCE[family]);
  client = await openPeer(network.client);
});

beforeEach(async () => {
  daemon = await home.start();
});

afterEach(async () => {
  for (const { id } of await home.client.listForwards({})) await home.client.removeForward(id, '60');
  await daemon.stop();
  expect(await storedRecords()).toEqual([]);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened[Symbol.asyncDispose]();
});

async function publish(name: string, external_port: number, more: Readonly<Record<string, unknown>> = {}) {
  const fields = { name, router: network.router, internal_address: INSTANCE[4], internal_port: 22, external_port };
  await home.client.createForward({ ...fields, ...more }, '60');
}

/** Drains and teardowns of a store that no daemon has open. */
async function storedRecords(): Promise<readonly string[]> {
  const store = openSqliteStore(join(home.directory, 'hatoba.db'));
  const records = [await store.read('drains/'), await store.read('teardowns/')];
  await store.close();
  return records.flatMap(({ entries }) => entries.map(({ key }) => key));
}

test('the command line: running connections go on, new ones are refused, others notice nothing', async () => {
  await publish('other', 6001);
  for (const family of FAMILIES) {
    for (const protocol of ['tcp', 'udp']) {
      await publish(`${protocol}${family}`, 5001, { protocol, internal_address: INSTANCE[family] });
    }
  }
  const localPort = ++lastPort;
  const unrelated = await client.open(GATEWAY[4], 6001);
  const [four, six] = [await client.open(GATEWAY[4], 5001), await client.open(GATEWAY[6], 5001)];
  for (const family of FAMILIES) await client.ask(GATEWAY[family], 5001, { localPort });
  const words = ['forward', 'remove', '--socket', home.socket, '--drain', 'tcp4', 'udp4', 'tcp6', 'udp6'];
  expect(await home.run(...words)).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(
      /^(forward \w+ \(.*\) is removed after .*; its connections go on until they end\n){4}$/,
    ),
  });
  expect(await elementsIn(network.router)).toHaveLength(1);
  for (const { id } of [unrelated, four, six]) expect(await client.echo(id, 'on')).toBe('on');
  for (const family of FAMILIES) {
    expect(await client.ask(GATEWAY[family], 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
    await expect(client.open(GATEWAY[family], 5001)).rejects.toThrow('ECONNREFUSED');
    const patience = 200;
    await expect(client.ask(GATEWAY[family], 5001, { localPort: ++lastPort, patience })).rejects.toThrow('timeout');
  }
});

test('a daemon that ended between the store and the kernel: the next one lets them go on', async () => {
  await publish('drained', 5001);
  await publish('ended', 5002);
  const [drained, ended] = [await client.open(GATEWAY[4], 5001), await client.open(GATEWAY[4], 5002)];
  await daemon.kill();
  // It has the store, and nothing to do with the kernel.
  const half = await home.start('--roles', 'api');
  await home.client.removeForward('drained', '0', true);
  await home.client.removeForward('ended', '0');
  await half.kill();
  expect(await storedRecords()).toHaveLength(3);
  expect(await elementsIn(network.router)).toHaveLength(2);
  daemon = await home.start();
  expect(await elementsIn(network.router)).toEqual([]);
  expect(await client.echo(drained.id, 'on')).toBe('on');
  await expect(client.echo(ended.id, 'ended', 300)).rejects.toThrow();
});

test(`killed ${KILLS} times while it removes: no connection that is to go on ends`, async () => {
  await publish('other', 6001);
  const open = [await client.open(GATEWAY[4], 6001)];
  let lost = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await publish('web', 5001);
    open.push(await client.open(GATEWAY[4], 5001));
    const answered = removed();
    // The first one cannot have been answered yet.
    if (kill > 0) await sleep((kill / KILLS) * MOMENT);
    await daemon.kill();
    lost += (await answered) ? 0 : 1;
    daemon = await home.start();
    if ((await home.client.listForwards({})).some(({ name }) => name === 'web')) expect(await removed()).toBe(true);
    await expect(client.open(GATEWAY[4], 5001)).rejects.toThrow('ECONNREFUSED');
    for (const { id } of open) expect(await client.echo(id, `after ${kill}`)).toBe(`after ${kill}`);
  }
  expect(lost).toBeGreaterThan(0);
  expect(await elementsIn(network.router)).toHaveLength(1);
}, 600_000);

test(`killed ${KILLS} times while it removes: no stream that is to end goes on`, async () => {
  const localPorts = new Map([5001, 6001].map((port) => [port, ++lastPort]));
  const ask = (port: number, options = {}) =>
    client.ask(GATEWAY[4], port, { localPort: localPorts.get(port) ?? 0, ...options });
  await publish('other', 6001, { protocol: 'udp' });
  for (let kill = 0; kill < KILLS; kill++) {
    await publish('web', 5001, { protocol: 'udp' });
    for (const port of [5001, 6001]) await ask(port);
    const answered = removed({ drain: false });
    await sleep((kill / KILLS) * MOMENT);
    await daemon.kill();
    await answered;
    daemon = await home.start();
    if ((await home.client.listForwards({})).some(({ name }) => name === 'web')) await removed({ drain: false });
    await expect(ask(5001, { patience: 500 })).rejects.toThrow('timeout');
    expect(await ask(6001)).toBe(`${CLIENT[4]} ${localPorts.get(6001)}`);
  }
}, 600_000);

test('another program flushes our table all the time, and the kernel refuses one protocol: no flow that drains ends', async () => {
  for (const kind of ['', '_stream']) {
    await runIn(network.router, 'sysctl', ['--quiet', '--write', `net.netfilter.nf_conntrack_udp_timeout${kind}=3600`]);
  }
  await publish('refused', 7000, { protocol: 'udplite' });
  const ports = Array.from({ length: FLUSHED }, (_, at) => 5001 + at);
  const flows: { readonly port: number; readonly id: number; readonly localPort: number }[] = [];
  for (const port of ports) {
    for (const protocol of ['tcp', 'udp']) await publish(`${protocol}${port}`, port, { protocol });
    const localPort = ++lastPort;
    flows.push({ port, id: (await client.open(GATEWAY[4], port)).id, localPort });
    await client.ask(GATEWAY[4], port, { localPort });
  }
  const flusher = startFlushing(network.router);
  await flusher.flushed();
  let removedAt = 0;
  for (const port of ports) {
    for (const protocol of ['tcp', 'udp']) {
      removedAt = (await home.client.removeForward(`${protocol}${port}`, '0', true)).revision;
    }
    await flusher.flushed();
  }
  await flusher.stop();
  // Where another process fights for the table, the daemon waits for some seconds between repairs.
  await eventually(async () => {
    const [node] = (await home.client.getRouter(network.router)).nodes;
    expect(node).toMatchObject({ error: null });
    expect(node?.revision).toBeGreaterThanOrEqual(removedAt);
  }, 120_000);
  expect(await elementsIn(network.router)).toEqual([]);
  for (const { port, id, localPort } of flows) {
    expect(await client.echo(id, `on ${port}`)).toBe(`on ${port}`);
    expect(await client.ask(GATEWAY[4], port, { localPort })).toBe(`${CLIENT[4]} ${localPort}`);
    await expect(client.open(GATEWAY[4], port)).rejects.toThrow('ECONNREFUSED');
  }
}, 600_000);

/** Another program that flushes, and deletes, our table over and over. */
function startFlushing(namespace: string): { flushed(): Promise<void>; stop(): Promise<void> } {
  let [stopped, rounds] = [false, 0];
  const running = flush();
  // The failure is thrown by `stop`.
  running.catch(() => undefined);
  return {
    async flushed() {
      const before = rounds;
      await eventually(() => expect(rounds).toBeGreaterThan(before), 60_000);
    },
    stop() {
      stopped = true;
      return running;
    },
  };

  async function flush(): Promise<void> {
    while (!stopped) {
      // Adding it first makes the deletion succeed also where it is not there.
      const script = rounds % 2 === 0 ? 'flush table inet hatoba' : 'delete table inet hatoba';
      await nft(namespace, `add table inet hatoba; ${script}`);
      rounds++;
    }
  }
}

/** Whether there was an answer. */
async function removed({ drain } = { drain: true }): Promise<boolean> {
  try {
    return (await home.client.removeForward('web', '60', drain)).applied;
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'daemon_unreachable') return false;
    throw error;
  }
}
