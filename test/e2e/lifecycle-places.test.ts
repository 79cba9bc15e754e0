import { expect, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { bootMachine } from '../support/machine.ts';

const ROUTER = '8e1d6f40-93c2-4b7a-a5d8-0c4b9e2f7a61';
const [DISTRIBUTED, CENTRAL] = [`qrouter-${ROUTER}`, `snat-${ROUTER}`];

test('a router in two namespaces has its forwards in both, by the gateway address of either', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, machine);
  await home.start();
  const fields = { router: ROUTER, external_port: 5001, internal_address: '10.20.0.11', internal_port: 22 };
  const { id } = await home.client.createForward(fields, '0');
  const element = `192.0.2.1 . 6 . 5001 : 10.20.0.11 . 22 (${id})`;
  const expectForward = async (state: string, instances: readonly string[], elements: readonly string[]) => {
    await eventually(async () => {
      expect((await home.client.getForward(id)).status.state).toBe(state);
      expect((await home.client.getRouter(ROUTER)).nodes.flatMap((node) => node.instances)).toEqual(instances);
      for (const instance of instances) expect(await elementsIn(instance, machine.runIn)).toEqual(elements);
    });
  };

  await expectForward('waiting', [], []);
  await machine.run('ip', 'netns', 'add', DISTRIBUTED);
  await expectForward('pending', [DISTRIBUTED], []);

  await machine.run('ip', 'netns', 'add', CENTRAL);
  await machine.runIn(CENTRAL, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(CENTRAL, 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-1']);
  await expectForward('active', [DISTRIBUTED, CENTRAL], [element]);

  await machine.run('ip', 'netns', 'delete', DISTRIBUTED);
  await expectForward('active', [CENTRAL], [element]);
  await machine.run('ip', 'netns', 'add', DISTRIBUTED);
  await expectForward('active', [DISTRIBUTED, CENTRAL], [element]);

  await machine.run('ip', 'netns', 'delete', CENTRAL);
  await expectForward('pending', [DISTRIBUTED], []);
  await machine.run('ip', 'netns', 'delete', DISTRIBUTED);
  await expectForward('waiting', [], []);
});
