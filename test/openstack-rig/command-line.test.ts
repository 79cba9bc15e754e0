import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN, ask, BUILDING, buildCloud, type Cloud, type Made, make } from './neutron-bench.ts';
import { type NeutronServer, startNeutron } from './neutron-server.ts';

const SDK = join(import.meta.dirname, '../support/openstack-sdk.py');
const FREE_ADDRESSES = join(import.meta.dirname, '../support/openstack-free-addresses.py');

let neutron: NeutronServer;
let home: DaemonHome;
/** Of hatoba. */
let url: string;
let cloud: Cloud;

/** What users type, without a Keystone; the answer as JSON. */
async function openstack(endpoint: string, ...words: readonly string[]): Promise<unknown> {
  const form = words.some((word) => ['delete', 'set'].includes(word)) ? [] : ['-f', 'json'];
  const answer = await run(
    '/usr/bin/openstack',
    `--os-auth-type none --os-endpoint ${endpoint}`.split(' ').concat(words, form),
  );
  return answer === '' ? null : JSON.parse(answer);
}

const here = (...words: readonly string[]) => openstack(url, ...words);

beforeAll(async () => {
  neutron = await startNeutron();
  home = await openDaemonHome({
    roles: ['api'],
    listen: '127.0.0.1:0',
    neutron: { upstream: neutron.url, sweep_seconds: 1 },
  });
  const daemon = await home.start();
  const { msg } = await daemon.logged((line) => String(line['msg']).startsWith('listening on 127'));
  url = `http://${String(msg).replace('listening on ', '')}`;
  cloud = await buildCloud(url);
}, BUILDING);

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await neutron[Symbol.asyncDispose]();
});

describe('the client of OpenStack', () => {
  test('is told by us what Neutron tells it', { timeout: 2 * BUILDING }, async () => {
    for (const [resource = '', ...words] of [
      ['network', 'one'],
      ['port', '--network', 'one', 'p1'],
    ]) {
      const name = String(words.at(-1));
      const made = await here(resource, 'create', ...words);
      const shown = await openstack(neutron.url, resource, 'show', name);
      expect(made).toMatchObject({ name });
      expect(await here(resource, 'show', name)).toEqual(shown);
    }
  });

  test('makes, lists, shows, changes and deletes a forward at a gateway', { timeout: 2 * BUILDING }, async () => {
    await makePort('vm', '10.0.0.11');
    const addresses = await here('floating', 'ip', 'list');
    expect(addresses).toMatchObject([{ 'Floating IP Address': cloud.gateway, Port: expect.any(String) }]);
    const place = ['floating', 'ip', 'port', 'forwarding'];
    const target = '--internal-ip-address 10.0.0.11 --port vm --internal-protocol-port 22'.split(' ');
    const outside = `--external-protocol-port 5001 --protocol tcp ${cloud.gateway}`.split(' ');
    const made = await here(...place, 'create', ...target, ...outside);
    expect(made).toMatchObject({ external_port: 5001, internal_port: 22, protocol: 'tcp' });
    const id = /"id":"([\da-f-]+)"/.exec(JSON.stringify(made))?.[1] ?? '';
    expect(await here(...place, 'list', cloud.gateway)).toMatchObject([{ ID: id, 'External Port': 5001 }]);
    await here(...place, 'set', '--external-protocol-port', '5002', cloud.gateway, id);
    expect(await here(...place, 'show', cloud.gateway, id)).toMatchObject({ external_port: 5002 });
    await here(...place, 'delete', cloud.gateway, id);
    expect(await home.client.listForwards({})).toEqual([]);
  });
});

test('the daemon takes a forward away with a port that is deleted at Neutron itself', {
  timeout: BUILDING,
}, async () => {
  const port = await makePort('vm2', '10.0.0.12');
  const { body } = await ask(`${url}/v2.0/floatingips?fields=id`, 'GET', ADMIN);
  const gateway = /"id":"([\da-f-]+)"/.exec(JSON.stringify(body))?.[1] ?? '';
  await make(url, ADMIN, `floatingips/${gateway}/port_forwardings`, 'port_forwarding', {
    protocol: 'tcp',
    internal_port_id: port.id,
    internal_ip_address: '10.0.0.12',
    internal_port: 80,
    external_port: 8080,
  });
  expect(await home.client.listForwards({})).toHaveLength(1);
  await ask(`${neutron.url}/v2.0/ports/${port.id}`, 'DELETE', ADMIN);
  await eventually(async () => expect(await home.client.listForwards({})).toEqual([]), BUILDING);
});

test('openstacksdk meets at a gateway what it knows of Neutron', { timeout: 2 * BUILDING }, async () => {
  // It looks for the port by this name.
  const address = '10.0.0.13';
  await makePort(address, address);
  const told: unknown = JSON.parse(await run('/usr/bin/python3', [SDK, `${url}/`, cloud.gateway, address]));
  expect(told).toEqual({
    floating_ip: cloud.gateway,
    paged: true,
    by_port: 6,
    by_number: [3],
    duplicate: [400, expect.stringContaining('There is a port collision with the internal_port_range')],
    updated: [true, 7001, 1, 'new'],
    gone: [404, expect.stringMatching(/^Port Forwarding .* could not be found\.$/)],
    left: ['6003', '6004', '6005', '7001', '8080:8089'],
    extensions: true,
    single_port_range: '6001:6001',
    external_networks: [true],
    routers: ['r1'],
  });
  expect(await home.client.listForwards({})).toHaveLength(5);
});

test('openstacksdk takes no gateway for a free floating IP, and finds it all the same', {
  timeout: 2 * BUILDING,
}, async () => {
  const found: unknown = JSON.parse(
    await run('/usr/bin/python3', [FREE_ADDRESSES, `${url}/`, 'outside', cloud.gateway]),
  );
  expect(found).toEqual({
    found: cloud.gateway,
    of_router: [cloud.gateway],
    available: true,
    attached: true,
    deleted: 1,
    left: [cloud.gateway],
    none_available: null,
    made: true,
  });
});

function makePort(name: string, address: string): Promise<Made> {
  const fixedIp = { subnet_id: cloud.subnet.id, ip_address: address };
  return make(url, ADMIN, 'ports', 'port', { name, network_id: cloud.network.id, fixed_ips: [fixedIp] });
}
