import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DaemonHome } from '../support/daemon.ts';
import { CLIENT, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { type NetworkHome, openNetworkHome } from '../support/network-home.ts';
import type { Peer } from '../support/peer.ts';

let place: NetworkHome;
let network: Network;
let home: DaemonHome;
let client: Peer;

beforeAll(async () => {
  place = await openNetworkHome();
  ({ network, home, client } = place);
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test('when a forward was last used outlives a stop and a kill of the daemon', async () => {
  const first = await home.start();
  const fields = { router: network.router, internal_address: INSTANCE[4], external_port: 5001, internal_port: 22 };
  const { id } = await home.client.createForward(fields, '60');
  const lastUsed = async () => (await home.client.getCounters(id))[0]?.last_used;
  // Nobody has looked at its counters yet.
  expect(await client.connect(GATEWAY[4], 5001)).toContain(CLIENT[4]);
  const told = await lastUsed();
  expect(told).toMatch(/^20/);
  await pause(2_000);
  await first.kill();

  const second = await home.start();
  expect(await lastUsed()).toBe(told);
  const { id: unused } = await home.client.createForward({ ...fields, external_port: 5002 }, '60');
  expect((await home.client.getCounters(unused))[0]?.last_used).toBeNull();
  await second.stop();
  await client.connect(GATEWAY[4], 5001);

  await home.start();
  const later = await lastUsed();
  expect(Date.parse(`${later}`)).toBeGreaterThan(Date.parse(`${told}`));
  expect(await lastUsed()).toBe(later);
}, 180_000);
