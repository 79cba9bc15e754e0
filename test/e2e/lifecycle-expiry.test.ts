import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  home = await openDaemonHome({ neutron: false, routers, auto_ports: '6001-6002' });
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  client = await openPeer(network.client);
  daemon = await home.start();
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened[Symbol.asyncDispose]();
});

beforeEach(async () => {
  for (const { id } of await home.client.listForwards({})) await home.client.removeForward(id, '60');
});

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

function publish(external_port: number | string, more: Readonly<Record<string, unknown>> = {}) {
  const target = { router: network.router, internal_address: INSTANCE[4], internal_port: 22 };
  return home.client.createForward({ ...target, external_port, ...more }, '60');
}

async function count(): Promise<number> {
  return (await elementsIn(network.router)).length;
}

async function stateOf(id: string): Promise<string> {
  return (await home.client.getForward(id)).status.state;
}

/** This is the answer, unless the time has come meanwhile; gives whether it had not. */
async function expectBefore(end: string | null, ask: () => Promise<unknown>, wanted: unknown): Promise<boolean> {
  const answer = await ask();
  // It may be one of after the end.
  const isBefore = Date.now() < Date.parse(end ?? '');
  if (isBefore) expect(answer).toEqual(wanted);
  return isBefore;
}

/** What is asked for again and again is this until that time. */
async function expectUntil(end: string | null, ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  while (await expectBefore(end, ask, wanted));
}

test('a forward ends on time, alone, and its state says so', async () => {
  await publish(5001);
  await publish(5002, { expires_at: inSeconds(86_400 * 30) });
  const { id } = await publish(5003, { expires_in: 86_400 });
  await client.connect(GATEWAY[4], 5003);
  const { expires_at } = await home.client.updateForward(id, { expires_in: 3 }, '60');
  await expectUntil(expires_at, async () => [await count(), await stateOf(id)], [3, 'active']);
  await eventually(async () => expect(await count()).toBe(2));
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at ?? ''));
  await eventually(async () => expect(await stateOf(id)).toBe('expired'));
  await expect(client.connect(GATEWAY[4], 5003)).rejects.toThrow('ECONNREFUSED');
  await client.connect(GATEWAY[4], 5001);
  await client.connect(GATEWAY[4], 5002);
  await expect(publish(5003)).rejects.toMatchObject({ code: 'forward_conflict' });
});

test('one that is renewed in time goes on, one that is renewed later is back', async () => {
  const { id } = await publish(5001, { expires_in: 3_600 });
  await client.connect(GATEWAY[4], 5001);
  await home.client.updateForward(id, { expires_in: 7_200 }, '60');
  expect(await home.client.getCounters(id)).toMatchObject([{ connections: 1 }]);
  const { expires_at } = await home.client.updateForward(id, { expires_in: 3 }, '60');
  await expectUntil(expires_at, count, 1);
  await eventually(async () => expect(await count()).toBe(0));
  const again = await home.client.updateForward(id, { expires_at: null }, '60');
  expect(again.status.state).toBe('active');
  await client.connect(GATEWAY[4], 5001);
});

test('one whose time comes while no daemon is there ends all the same, and the next daemon says so', async () => {
  const kept = await publish(5001);
  const { id, expires_at } = await publish(5002, { expires_in: 5 });
  const end = Date.parse(expires_at ?? '');
  await daemon.kill();
  await expectUntil(expires_at, () => client.connect(GATEWAY[4], 5002).then(() => 'through', String), 'through');
  await eventually(async () => expect(await count()).toBe(1));
  expect(Date.now()).toBeGreaterThanOrEqual(end);
  await expect(client.connect(GATEWAY[4], 5002)).rejects.toThrow('ECONNREFUSED');
  await client.connect(GATEWAY[4], 5001);
  daemon = await home.start();
  expect(await count()).toBe(1);
  await eventually(async () => {
    expect(await stateOf(id)).toBe('expired');
    expect(await stateOf(kept.id)).toBe('active');
  });
  await expect(client.connect(GATEWAY[4], 5002)).rejects.toThrow('ECONNREFUSED');
});

test('many that end at once all end on time', async () => {
  const expires_at = inSeconds(8);
  const target = { internal_address: INSTANCE[4], internal_port: 22, expires_at };
  const forwards = Array.from({ length: 200 }, (_, at) => ({ ...target, external_port: 7000 + at }));
  await home.client.apply({ router: network.router, forwards }, '60');
  await publish(5001, { expires_in: 3_600 });
  await expectUntil(expires_at, count, 201);
  await eventually(async () => expect(await count()).toBe(1));
});

test('the command line: a free port for a while', async () => {
  const words = [
    'forward',
    'add',
    '--socket',
    home.socket,
    '--router',
    network.router,
    '-q',
    '--expires',
    '4s',
    'auto',
  ];
  const began = Date.now();
  const added = await home.run(...words, `${INSTANCE[4]}:22`);
  const ended = Date.now();
  expect(added).toMatchObject({ exit: 0, stderr: '' });
  const { external_port, expires_at } = await home.client.getForward(added.stdout.trim());
  expect(external_port).toBe('6001');
  expect(Date.parse(expires_at ?? '')).toBeGreaterThanOrEqual(began + 4_000);
  expect(Date.parse(expires_at ?? '')).toBeLessThanOrEqual(ended + 4_000);
  await expectBefore(expires_at, () => client.connect(GATEWAY[4], 6001).then(() => 'through', String), 'through');
  await publish('auto');
  expect(await home.run(...words, `${INSTANCE[4]}:22`)).toMatchObject({
    exit: 4,
    stderr: expect.stringContaining('the pool of ports 6001-6002 has no port left for tcp'),
  });
  await eventually(async () => expect(await count()).toBe(1));
});
