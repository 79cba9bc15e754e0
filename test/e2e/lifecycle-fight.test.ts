import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nft } from '../support/command.ts';
import { type Daemon, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { rulesetOf } from '../support/kernel-state.ts';
import { createNetwork, INSIDE, INSTANCE, OUTSIDE } from '../support/network.ts';

/** So long is looked on while both fight. */
const ROUND = 2_000;
/** No fight in a test goes on for longer; on a busy machine, each of twenty rounds takes a second or two. */
const LONGEST = 200_000;
/** More than the longest pause of the daemon in a fight. */
const PATIENCE = 60_000;
/** Linux counts the time of processes in units of 10 ms (`man 5 proc`, /proc/pid/stat; USER_HZ). */
const TICK = 10;

/** Somebody who flushes the ruleset as soon as there is anything in it. `stop` gives how often that was. */
function startFight(namespace: string): { rounds(): number; stop(): Promise<void> } {
  const end = performance.now() + LONGEST;
  let stopped = false;
  let rounds = 0;
  const running = fight();
  // The failure is told by `stop`.
  running.catch(() => undefined);
  return {
    rounds: () => rounds,
    stop() {
      stopped = true;
      return running;
    },
  };

  async function fight(): Promise<void> {
    while (!stopped && performance.now() < end) {
      if ((await rulesetOf(namespace)) === '') {
        await sleep(5);
        continue;
      }
      rounds++;
      await nft(namespace, 'flush ruleset\n');
    }
  }
}

/** Milliseconds of processor time that the daemon has used. */
async function processorTime({ pid }: Daemon): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * TICK;
}

test('a fight with another program backs off, is reported, costs little, and is over when the other one gives up', {
  timeout: 2 * LONGEST,
}, async () => {
  await using network = await createNetwork();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  await using home = await openDaemonHome({ neutron: false, routers });
  const daemon = await home.start();
  const fields = { router: network.router, external_port: 5001, internal_address: INSTANCE[4] };
  const { id } = await home.client.createForward(fields, '60');
  const right = await rulesetOf(network.router);
  const status = async () => (await home.client.getForward(id)).status;
  const error = async () => (await home.client.getRouter(network.router)).nodes[0]?.error;

  const fight = startFight(network.router);
  const report = expect.stringMatching(/^another program has changed our table \d+ times in a row/);
  await eventually(async () => expect(await error()).toEqual(report), LONGEST);
  expect(await status()).toMatchObject({ state: 'error', message: report });

  const [rounds, time] = [fight.rounds(), await processorTime(daemon)];
  await sleep(ROUND);
  expect(fight.rounds() - rounds).toBeLessThan(6);
  expect((await processorTime(daemon)) - time).toBeLessThan(ROUND / 10);
  await eventually(() => expect(fight.rounds()).toBeGreaterThan(rounds), PATIENCE);
  expect(await error()).toEqual(report);

  await fight.stop();
  await eventually(async () => expect(await rulesetOf(network.router)).toBe(right), PATIENCE);
  await eventually(async () => expect(await error()).toBeNull(), PATIENCE);
  expect(await status()).toMatchObject({ state: 'active', message: null });
  expect(await rulesetOf(network.router)).toBe(right);
});
