import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChurn } from '../support/churn.ts';
import type { DaemonHome } from '../support/daemon.ts';
import { activeElements, elementsIn } from '../support/kernel-state.ts';
import { CLIENT, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { type NetworkHome, openNetworkHome } from '../support/network-home.ts';
import type { Peer } from '../support/peer.ts';

const KILLS = 100;
/**
 * Half of the daemons are killed within so many milliseconds of their start, the others of having acknowledged a change:
 * a slow machine would take none from a daemon that lives for a fixed time.
 */
const YOUTH = 500;
const LIFE = 300;
const PORT = 5001;
const PAUSE = 10;
/** Longer than TCP takes for a packet that was lost; what is refused or broken is told at once. */
const PATIENCE = 60_000;

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

test('killed 100 times while forwards come and go: no acknowledged change is lost, no connection meets a gap', async () => {
  const first = await home.start();
  const fields = { router: network.router, internal_address: INSTANCE[4], external_port: PORT, internal_port: 22 };
  await home.client.createForward({ ...fields, name: 'untouched' }, '60');
  const traffic = startTraffic();
  const churns = [20_000, 40_000].map((firstPort) =>
    startChurn(home.client, { name: `c${firstPort}`, router: network.router, firstPort, wait: '5' }),
  );

  await first.kill();
  for (let kill = 1; kill < KILLS; kill++) {
    const daemon = home.launch();
    const isGrown = kill % 2 === 0;
    if (isGrown) await Promise.race(churns.map((churn) => churn.acknowledged()));
    await sleep(Math.random() * (isGrown ? LIFE : YOUTH));
    await daemon.kill();
  }
  await home.start();
  for (const churn of churns) await churn.stop();

  await traffic.stop();
  const stored = new Set((await home.client.listForwards({})).map(({ name }) => name));
  for (const { present, absent } of churns) {
    expect([...present].filter((name) => !stored.has(name))).toEqual([]);
    expect([...absent].filter((name) => stored.has(name))).toEqual([]);
  }
  for (const kind of ['present', 'absent', 'unknown'] as const) {
    expect(
      churns.reduce((sum, churn) => sum + churn[kind].size, 0),
      kind,
    ).toBeGreaterThan(0);
  }
  expect(stored.size).toBe((await home.client.listForwards({ state: 'active' })).length);
  expect(await elementsIn(network.router)).toEqual(await activeElements(home.client, network.router));
}, 600_000);

/**
 * More than a hundred times: one connection that is used all the time, and one new connection after the other. `stop` rejects when any was
 * refused or broken: a packet that meets no forward is answered with a reset by the router itself.
 */
function startTraffic(): { stop(): Promise<void> } {
  let stopped = false;
  const running = Promise.all([talk(), callAgain()]);
  // The failure is told by `stop`.
  running.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await running;
    },
  };

  async function talk(): Promise<void> {
    const { id } = await client.open(GATEWAY[4], PORT, PATIENCE);
    let echoes = 0;
    while (!stopped || echoes <= KILLS) {
      echoes++;
      expect(await client.echo(id, `word ${echoes}`, PATIENCE)).toBe(`word ${echoes}`);
      await sleep(PAUSE);
    }
  }

  async function callAgain(): Promise<void> {
    let connections = 0;
    while (!stopped || connections <= KILLS) {
      connections++;
      expect(await client.connect(GATEWAY[4], PORT, PATIENCE)).toContain(CLIENT[4]);
      await sleep(PAUSE);
    }
  }
}
