import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUILDING, buildCloud, type Cloud } from './neutron-bench.ts';
import { type NeutronServer, startNeutron } from './neutron-server.ts';

let neutron: NeutronServer;
let home: DaemonHome;
/** Of hatoba. */
let url: string;
let cloud: Cloud;

/** What users type, without a Keystone; the answer as JSON. */
async function openstack(endpoint: string, ...words: readonly string[]): Promise<unknown> {
  const answer = await run('/usr/bin/openstack', [
    ...['--os-auth-type', 'none', '--os-endpoint', endpoint],
    ...words,
    ...(words.some((word) => ['delete', 'set'].includes(word)) ? [] : ['-f', 'json']),
  ]);
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
  test('is told by us what Neutron tells it', { timeout: BUILDING }, async () => {
    for (const words of [
      ['network', 'create', 'one'],
      ['subnet', 'create', '--network', 'one', '--subnet-range', '10.7.0.0/24', 's1'],
      ['port', 'create', '--network', 'one', 'p1'],
      ['router', 'create', 'r7'],
    ]) {
      const made = await here(...words);
      const [resource = '', , ...rest] = words;
      const name = String(rest.at(-1));
      expect(made).toMatchObject({ name });
      expect(await here(resource, 'show', name)).toEqual(await openstack(neutron.url, resource, 'show', name));
      expect(await here(resource, 'list')).toEqual(await openstack(neutron.url, resource, 'list'));
    }
  });

  test('makes, lists, shows, changes and deletes a forward at a gateway', { timeout: BUILDING }, async () => {
    await here('port', 'create', '--network', cloud.network.id, '--fixed-ip', 'ip-address=10.0.0.11', 'vm');
    const addresses = await here('floating', 'ip', 'list');
    expect(addresses).toMatchObject([{ 'Floating IP Address': cloud.gateway, Port: null }]);
    const place = ['floating', 'ip', 'port', 'forwarding'];
    const made = await here(
      ...[...place, 'create', '--internal-ip-address', '10.0.0.11', '--port', 'vm'],
      ...['--internal-protocol-port', '22', '--external-protocol-port', '5001', '--protocol', 'tcp', cloud.gateway],
    );
    expect(made).toMatchObject({ external_port: 5001, internal_port: 22, protocol: 'tcp' });
    const id = /"id":"([\da-f-]+)"/.exec(JSON.stringify(made))?.[1] ?? '';
    expect(await here(...place, 'list', cloud.gateway)).toMatchObject([{ ID: id, 'External Port': 5001 }]);
    await here(...place, 'set', '--external-protocol-port', '5002', cloud.gateway, id);
    expect(await here(...place, 'show', cloud.gateway, id)).toMatchObject({ external_port: 5002 });
    expect(JSON.stringify(await here('floating', 'ip', 'show', cloud.gateway))).toContain('5002');
    await here(...place, 'delete', cloud.gateway, id);
    expect(await here(...place, 'list', cloud.gateway)).toEqual([]);
  });

  test('takes a forward away with a port that it deletes at Neutron itself', { timeout: BUILDING }, async () => {
    const made = await here(
      'port',
      'create',
      '--network',
      cloud.network.id,
      '--fixed-ip',
      'ip-address=10.0.0.12',
      'vm2',
    );
    expect(made).toMatchObject({ name: 'vm2' });
    await here(
      ...['floating', 'ip', 'port', 'forwarding', 'create', '--internal-ip-address', '10.0.0.12', '--port', 'vm2'],
      ...['--internal-protocol-port', '80', '--external-protocol-port', '8080', '--protocol', 'tcp', cloud.gateway],
    );
    expect(await home.client.listForwards({})).toHaveLength(1);
    await openstack(neutron.url, 'port', 'delete', 'vm2');
    await eventually(async () => expect(await home.client.listForwards({})).toEqual([]), BUILDING);
  });
});
