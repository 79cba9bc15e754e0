import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

/** OpenStack's own clients, with no OpenStack anywhere. Each call of the command line takes seconds to begin. */
const PATIENCE = 240_000;
const ENDPOINT = 'http://127.0.0.1:9797/';
const ROUTER = '8e1d6f40-93c2-4b7a-a5d8-0c4b9e2f7a61';
const NAMESPACE = `qrouter-${ROUTER}`;
const OUTSIDE = '192.168.1.100';
const INSIDE = '192.168.50.11';
const SDK = join(import.meta.dirname, '../support/openstack-sdk.py');

let machine: Machine;
let home: DaemonHome;

beforeAll(async () => {
  machine = await bootMachine();
  await machine.run('ip', 'link', 'set', 'lo', 'up');
  await machine.run('ip', 'netns', 'add', NAMESPACE);
  await machine.runIn(NAMESPACE, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(NAMESPACE, 'ip', ['address', 'add', `${OUTSIDE}/24`, 'dev', 'qg-1']);
  home = await openDaemonHome(
    { listen: '127.0.0.1:9797', authentication: 'none', neutron: { single_port_ranges: true } },
    machine,
  );
  await home.start();
}, PATIENCE);

afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
  await machine?.[Symbol.asyncDispose]();
});

async function openstack(...words: readonly string[]): Promise<string> {
  return machine.run('openstack', '--os-auth-type', 'none', '--os-endpoint', ENDPOINT, 'floating', 'ip', ...words);
}

async function asked(...words: readonly string[]): Promise<unknown> {
  return JSON.parse(await openstack(...words, '-f', 'json'));
}

async function expectElements(...elements: readonly string[]): Promise<void> {
  await eventually(async () => expect(await elementsIn(NAMESPACE, machine.runIn)).toEqual(elements));
}

beforeEach(async () => {
  for (const { id } of await home.client.listForwards({})) await home.client.removeForward(id, '60');
});

test('the openstack command line makes, shows, changes and deletes a forward', { timeout: PATIENCE }, async () => {
  const given = [
    '--internal-ip-address',
    INSIDE,
    '--port',
    INSIDE,
    '--internal-protocol-port',
    '22',
    '--protocol',
    'tcp',
  ];
  const create = (port: string, ...more: readonly string[]) =>
    ['port', 'forwarding', 'create', ...given, '--external-protocol-port', port, OUTSIDE, ...more] as const;

  const created = await asked(...create('5001'));
  expect(created).toMatchObject({
    internal_ip_address: INSIDE,
    internal_port: 22,
    external_port: 5001,
    protocol: 'tcp',
    description: '',
  });
  const [{ id } = { id: '' }] = await home.client.listForwards({});
  await expectElements(`${OUTSIDE} . 6 . 5001 : ${INSIDE} . 22 (${id})`);
  await expect(openstack(...create('5002'))).rejects.toThrow(
    /400.*There is a port collision with the internal_port_range/,
  );

  await openstack('port', 'forwarding', 'set', '--external-protocol-port', '5002', '--description', 'ssh', OUTSIDE, id);
  await expectElements(`${OUTSIDE} . 6 . 5002 : ${INSIDE} . 22 (${id})`);
  expect(await asked('port', 'forwarding', 'show', OUTSIDE, id)).toEqual(
    Object.assign({}, created, { external_port: 5002, description: 'ssh' }),
  );
  expect(await asked('port', 'forwarding', 'list', '--port', INSIDE, '--protocol', 'tcp', OUTSIDE)).toEqual([
    expect.objectContaining({ ID: id, 'Internal IP Address': INSIDE, 'Internal Port': 22, 'External Port': 5002 }),
  ]);

  expect(await asked('list')).toEqual([expect.objectContaining({ 'Floating IP Address': OUTSIDE })]);
  expect(await asked('show', OUTSIDE)).toMatchObject({
    floating_ip_address: OUTSIDE,
    router_id: ROUTER,
    status: 'ACTIVE',
  });

  await openstack('port', 'forwarding', 'delete', OUTSIDE, id);
  await expectElements();
});

test('openstacksdk meets what it knows of Neutron', { timeout: PATIENCE }, async () => {
  // Debian's own Python, which has the package.
  const told: unknown = JSON.parse(await machine.run('/usr/bin/python3', SDK, ENDPOINT, OUTSIDE, INSIDE));
  expect(told).toEqual({
    floating_ip: OUTSIDE,
    paged: true,
    by_port: 6,
    by_number: [3],
    duplicate: [
      400,
      'Bad port_forwarding request: There is a port collision with the internal_port_range. The following ranges collides: 1:1 and 1:1.',
    ],
    updated: [true, 7001, 1, 'new'],
    gone: [404, expect.stringMatching(/^Port Forwarding .* could not be found\.$/)],
    left: ['6003', '6004', '6005', '7001', '8080:8089'],
    extensions: true,
    single_port_range: '6001:6001',
    external_networks: [true],
    routers: [ROUTER],
  });
});
