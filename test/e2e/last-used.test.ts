import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let home: DaemonHome;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  home = await openDaemonHome({
    neutron: false,
    routers: [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }],
  });
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  client = await openPeer(network.client);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
});

test('when a forward was last used outlives a stop and a kill of the daemon', async () => {
  const first = await home.start();
  const fields = { router: network.router, internal_address: INSTANCE[4], external_port: 5001, internal_port: 22 };
  const { id } = await home.client.createForward(fields, '5');
  const lastUsed = async () => (await home.client.getCounters(id))[0]?.last_used;
  expect(await lastUsed()).toBeNull();
  expect(await client.connect(GATEWAY[4], 5001)).toContain(CLIENT[4]);
  const told = await lastUsed();
  expect(told).toMatch(/^20/);
  await pause(2_000);
  await first.kill();

  const second = await home.start();
  expect(await lastUsed()).toBe(told);
  await second.stop();
  await client.connect(GATEWAY[4], 5001);

  await home.start();
  const later = await lastUsed();
  expect(Date.parse(`${later}`)).toBeGreaterThan(Date.parse(`${told}`));
  expect(await lastUsed()).toBe(later);
}, 180_000);
