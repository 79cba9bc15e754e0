import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { bootMachine } from '../support/machine.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, OUTSIDE } from '../support/network.ts';
import { openPeer } from '../support/peer.ts';

const TO_INSTANCE = { external_port: 5001, internal_address: INSTANCE[4], internal_port: 22 };

test('the daemon first, the router later: the forward works as soon as the router does', async () => {
  await using network = await createNetwork();
  await network.removeRouter();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  await using home = await openDaemonHome({ neutron: false, routers });
  await home.start();
  const forward = await home.client.createForward({ ...TO_INSTANCE, router: network.router }, '60');
  expect(forward.status.state).toBe('waiting');

  await network.addRouter();
  await using instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  await using client = await openPeer(network.client);
  await eventually(async () => expect(await client.connect(GATEWAY[4], 5001)).toMatch(/^198\.51\.100\.5 /));
  expect((await home.client.getForward(forward.id)).status.state).toBe('active');
});

test('an interface or an address that comes after the router: likewise', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome(SETTINGS, machine);
  await home.start();
  const forward = await home.client.createForward({ ...TO_INSTANCE, router: 'edge-1' }, '0');
  await machine.run('ip', 'netns', 'add', 'edge-1');
  const pending = 'the router has no IPv4 gateway address at present';
  const state = async () => (await home.client.getForward(forward.id)).status;
  await eventually(async () => expect(await state()).toMatchObject({ state: 'pending', message: pending }));
  await machine.runIn('edge-1', 'ip', ['link', 'add', 'qg-late', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn('edge-1', 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-late']);
  await eventually(async () => expect(await state()).toMatchObject({ state: 'active', message: null }));
  expect(await elementsIn('edge-1', machine.runIn)).toEqual([
    `192.0.2.1 . 6 . 5001 : ${INSTANCE[4]} . 22 (${forward.id})`,
  ]);
});

test.each(['made by ip netns', 'made empty, then used', 'removed, then made again'])(
  'the directory of the namespaces itself later: %s',
  async (how) => {
    await using machine = await bootMachine();
    await using home = await openDaemonHome(SETTINGS, machine);
    await home.start();
    const forward = await home.client.createForward(
      { ...TO_INSTANCE, router: 'edge-1', external_address: '192.0.2.1' },
      '0',
    );
    const directory = machine.path('/run/netns');
    if (how !== 'made by ip netns') await mkdir(directory);
    if (how === 'removed, then made again') {
      await machine.run('rmdir', '/run/netns');
      await mkdir(join(directory));
    }
    await machine.run('ip', 'netns', 'add', 'edge-1');
    const expected = [`192.0.2.1 . 6 . 5001 : ${INSTANCE[4]} . 22 (${forward.id})`];
    await eventually(async () => expect(await elementsIn('edge-1', machine.runIn)).toEqual(expected));
    await eventually(async () => expect((await home.client.getForward(forward.id)).status.state).toBe('active'));
  },
);

const SETTINGS = { neutron: false, routers: [{ namespace: 'edge-*', outside: ['qg-'], inside: ['qr-'] }] };
