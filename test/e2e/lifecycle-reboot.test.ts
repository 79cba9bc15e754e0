import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ForwardState } from '../../src/model/status.ts';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { activeElements, elementsIn } from '../support/kernel-state.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

const COUNT = 200;
const SPREAD = 10_000;
const AT_ONCE = 2;
const ROUTERS = Array.from({ length: COUNT }, (_, at) => `edge-${at}`);

async function makeRouter(machine: Machine, router: string): Promise<void> {
  await machine.run('ip', 'netns', 'add', router);
  await machine.runIn(router, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(router, 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-1']);
}

/** In random order, evenly over so many milliseconds. */
async function makeRouters(machine: Machine, spread: number): Promise<void> {
  const order = ROUTERS.map((router) => ({ router, at: Math.random() * spread })).sort((a, b) => a.at - b.at);
  const started = performance.now();
  const work = async () => {
    for (let next = order.shift(); next !== undefined; next = order.shift()) {
      await sleep(Math.max(0, started + next.at - performance.now()));
      await makeRouter(machine, next.router);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

test('after a reboot 200 routers come back in random order over 10 s, and each gets its forwards', async () => {
  await using machine = await bootMachine();
  const routers = [{ namespace: 'edge-*', outside: ['qg-'], inside: [] }];
  await using home = await openDaemonHome({ neutron: false, routers }, machine);
  const { client } = home;
  const allAre = async (state: ForwardState) => expect(await client.listForwards({ state })).toHaveLength(2 * COUNT);

  const daemon = await home.start();
  for (const router of ROUTERS) {
    const fields = { router, external_port: 5001, internal_address: '10.20.0.11', internal_port: 22 };
    await client.createForward(fields, '0');
    await client.createForward({ ...fields, external_address: '192.0.2.9' }, '0');
  }
  await makeRouters(machine, 0);
  await eventually(() => allAre('active'));

  await daemon.stop();
  await machine.run('ip', '-all', 'netns', 'delete');
  await home.start();
  await allAre('waiting');
  await makeRouters(machine, SPREAD);
  await eventually(() => allAre('active'));
  for (const router of ROUTERS) {
    const elements = await elementsIn(router, machine.runIn);
    expect(elements).toHaveLength(2);
    expect(elements).toEqual(await activeElements(client, router));
  }
});
