import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChurn } from '../support/churn.ts';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { activeElements, elementsIn } from '../support/kernel-state.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

const ROUTER = 'edge-1';
const TIMES = 50;

async function makeRouter(machine: Machine): Promise<void> {
  await machine.run('ip', 'netns', 'add', ROUTER);
  await machine.runIn(ROUTER, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(ROUTER, 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-1']);
}

test('a router deleted and made again 50 times, while forwards change, has exactly those that are wanted', async () => {
  await using machine = await bootMachine();
  const routers = [{ namespace: 'edge-*', outside: ['qg-'], inside: [] }];
  await using home = await openDaemonHome({ neutron: false, routers }, machine);
  const daemon = await home.start();
  await makeRouter(machine);
  const descriptors = async () => (await readdir(`/proc/${daemon.pid}/fd`)).length;
  await eventually(async () => expect((await home.client.getRouter(ROUTER)).gateways).toEqual(['192.0.2.1']));
  const before = await descriptors();

  const churn = startChurn(home.client, { name: 'c', router: ROUTER, firstPort: 20_000, wait: '0' });
  for (let time = 0; time < TIMES; time++) {
    // At times the daemon gets to see the old one, at times not.
    await sleep(Math.random() * 30);
    await machine.run('ip', 'netns', 'delete', ROUTER);
    await sleep(time % 2 === 0 ? 0 : Math.random() * 10);
    await makeRouter(machine);
  }
  await eventually(() => expect(Math.min(churn.present.size, churn.absent.size)).toBeGreaterThan(0));
  await churn.stop();

  const active = async () => (await home.client.listForwards({ state: 'active' })).map(({ name }) => name);
  await eventually(async () => expect(new Set(await active())).toEqual(churn.present));
  expect(await elementsIn(ROUTER, machine.runIn)).toEqual(await activeElements(home.client, ROUTER));
  // Namespaces of the past are let go of.
  await eventually(async () => expect(await descriptors()).toBeLessThanOrEqual(before));
});
