import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSweep } from '../../src/api/neutron/upstream/sweeps.ts';
import { createNeutronClient } from '../../src/openstack/neutron/client.ts';
import { tokenCredentials } from '../../src/openstack/neutron/credentials.ts';
import { createUpstream } from '../../src/openstack/neutron/upstream.ts';
import {
  ADMIN,
  ALICE,
  addressOf,
  ask,
  BOB,
  BUILDING,
  buildCloud,
  type Cloud,
  type Made,
  make,
  type NeutronBench,
  openNeutronBench,
} from './neutron-bench.ts';

let bench: NeutronBench;
let cloud: Cloud;
let gateway: string;
let port: Made;

beforeAll(async () => {
  bench = await openNeutronBench({ servicePlugins: 'router' });
  cloud = await buildCloud(bench.url);
  const { body } = await ask(`${bench.url}/v2.0/floatingips?fields=id`, 'GET', ALICE);
  gateway = /"id":"([\da-f-]+)"/.exec(JSON.stringify(body))?.[1] ?? '';
}, BUILDING);

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

beforeEach(async () => {
  for (const { id } of bench.registry.forwards.list()) await bench.registry.forwards.remove(id);
  port = await make(bench.url, ALICE, 'ports', 'port', { network_id: cloud.network.id });
  await forwardTo(port, 2222);
});

async function forwardTo({ id, ...made }: Made, external: number): Promise<void> {
  await make(bench.url, ALICE, `floatingips/${gateway}/port_forwardings`, 'port_forwarding', {
    protocol: 'tcp',
    internal_port_id: id,
    internal_ip_address: addressOf({ id, ...made }),
    internal_port: 22,
    external_port: external,
  });
}

const left = () => bench.registry.forwards.list().map(({ externalPorts }) => externalPorts.first);
const path = (suffix: string) => `/v2.0/${suffix}`;
const through = (method: string, suffix: string, body?: unknown) =>
  ask(`${bench.url}${path(suffix)}`, method, ALICE, body);
const past = (method: string, suffix: string, body?: unknown) =>
  ask(`${bench.neutron.url}${path(suffix)}`, method, ALICE, body);

async function sweepAs(token: string, url = bench.neutron.url, seesAll = false): Promise<number> {
  const sweep = createSweep({
    neutron: createNeutronClient(createUpstream(new URL(url))),
    forwards: bench.registry.forwards,
    owners: { note: () => undefined },
    log: { info: () => undefined, warn: () => undefined },
    account: async () => ({ credentials: tokenCredentials(token), seesAll }),
  });
  await sweep();
  return (await sweep()).removed;
}

describe('where Neutron has no port forwarding of its own', () => {
  test('its clients learn that there is', async () => {
    const direct = await past('GET', 'extensions/floating-ip-port-forwarding');
    expect(direct.status).toBe(404);
    const { status, body } = await through('GET', 'extensions/floating-ip-port-forwarding');
    expect([status, JSON.stringify(body)]).toEqual([200, expect.stringContaining('floating-ip-port-forwarding')]);
    const all = JSON.stringify((await through('GET', 'extensions')).body);
    expect(all).toContain('"floating-ip-port-forwarding"');
    expect(all).toContain('"quotas"');
  });

  test('its own floating IPs have none, and are told why they can get none', async () => {
    const real = await make(bench.url, ALICE, 'floatingips', 'floatingip', { floating_network_id: cloud.outside.id });
    const own = `floatingips/${real.id}/port_forwardings`;
    expect((await past('GET', own)).status).toBe(404);
    expect(await through('GET', own)).toMatchObject({ status: 200, body: { port_forwardings: [] } });
    const fields = { protocol: 'tcp', internal_port_id: port.id, internal_ip_address: addressOf(port) };
    const wish = { port_forwarding: { ...fields, internal_port: 22, external_port: 22 } };
    const { status, body } = await through('POST', own, wish);
    expect([status, JSON.stringify(body)]).toEqual([
      400,
      expect.stringContaining("as Neutron's plugin for them is off"),
    ]);
    expect((await ask(`${bench.url}/v2.0/${own}`, 'GET', BOB)).status).toBe(404);
    expect((await ask(`${bench.url}/v2.0/${own}`, 'GET', 'nonsense')).status).toBe(401);
    await through('DELETE', `floatingips/${real.id}`);
  });
});

describe('a forward goes with', () => {
  test('its port, and no other does', async () => {
    const other = await make(bench.url, ALICE, 'ports', 'port', { network_id: cloud.network.id });
    await forwardTo(other, 3333);
    expect((await through('DELETE', `ports/${port.id}`)).status).toBe(204);
    expect(left()).toEqual([3333]);
  });

  test('no port that Neutron keeps', async () => {
    expect((await ask(`${bench.url}/v2.0/ports/${port.id}`, 'DELETE', 'nonsense')).status).toBe(401);
    expect(left()).toEqual([2222]);
  });

  test('the address of its port', async () => {
    expect((await through('PUT', `ports/${port.id}`, { port: { name: 'new' } })).status).toBe(200);
    expect(left()).toEqual([2222]);
    const moved = { port: { fixed_ips: [{ subnet_id: cloud.subnet.id, ip_address: '10.0.0.77' }] } };
    expect((await through('PUT', `ports/${port.id}`, moved)).status).toBe(200);
    expect(left()).toEqual([]);
    await through('DELETE', `ports/${port.id}`);
  });

  test('a port that went another way, when two sweeps have found it so', async () => {
    await past('DELETE', `ports/${port.id}`);
    expect(left()).toEqual([2222]);
    expect(await sweepAs(BOB)).toBe(0);
    expect(await sweepAs(ADMIN)).toBe(1);
    expect(left()).toEqual([]);
  });

  test('no sweep where its port is there, or nobody can be asked', async () => {
    expect(await sweepAs(ADMIN)).toBe(0);
    expect(await sweepAs(ADMIN, bench.neutron.url, true)).toBe(0);
    await expect(sweepAs('nonsense')).rejects.toThrow('401');
    await expect(sweepAs(ADMIN, 'http://127.0.0.1:1')).rejects.toThrow('does not answer');
    expect(left()).toEqual([2222]);
  });
});

test('an interface that a forward needs stays', async () => {
  const removal = `routers/${cloud.router.id}/remove_router_interface`;
  for (const body of [{ subnet_id: cloud.subnet.id }, { subnet_id: cloud.subnet.id, port_id: null }]) {
    expect((await through('PUT', removal, body)).body).toEqual({
      NeutronError: {
        type: 'RouterInterfaceInUseByFloatingIP',
        message:
          `Router interface for subnet ${cloud.subnet.id} on router ${cloud.router.id} cannot be deleted, ` +
          'as it is required by one or more floating IPs.',
        detail: '',
      },
    });
  }
  await through('DELETE', `ports/${port.id}`);
  expect((await through('PUT', removal, { subnet_id: cloud.subnet.id })).status).toBe(200);
  const back = `routers/${cloud.router.id}/add_router_interface`;
  expect((await through('PUT', back, { subnet_id: cloud.subnet.id })).status).toBe(200);
});

test('a gateway that a forward needs stays, and goes without one', async () => {
  const router = `routers/${cloud.router.id}`;
  const refused = {
    status: 409,
    body: {
      NeutronError: {
        type: 'RouterExternalGatewayInUseByFloatingIp',
        message:
          `Gateway cannot be updated for router ${cloud.router.id}, since a gateway to external network ` +
          `${cloud.outside.id} is required by one or more floating IPs.`,
        detail: '',
      },
    },
  };
  const clear = { router: { external_gateway_info: {} } };
  for (const [suffix, body] of [
    [router, clear],
    [`/${router}/`, { router: { external_gateway_info: null } }],
    [`${router}.json`, { router: { external_gateway_info: [] } }],
  ] as const) {
    expect(await through('PUT', suffix, body)).toMatchObject(refused);
  }
  const same = { router: { external_gateway_info: { network_id: cloud.outside.id } } };
  expect(await through('PUT', router, same)).not.toMatchObject(refused);
  await through('DELETE', `ports/${port.id}`);
  expect(await through('PUT', router, clear)).not.toMatchObject(refused);
});
