import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { ROUTER } from '../api-under-test.ts';
import { fault } from './gateway-under-test.ts';
import {
  forwarding,
  gatewayIdOf,
  INSIDE,
  openUpstreamBench,
  router,
  send,
  type UpstreamBench,
} from './upstream-under-test.ts';

const URL = `/v2.0/routers/${ROUTER}`;
const ADDRESS = '192.0.2.1';
const REFUSED = fault(
  'RouterExternalGatewayInUseByFloatingIp',
  `Gateway cannot be updated for router ${ROUTER}, since a gateway to external network outside is required by one or more floating IPs.`,
);

let bench: UpstreamBench;

beforeEach(async () => {
  bench = await openUpstreamBench();
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function publish(): Promise<void> {
  const path = `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`;
  expect((await send(bench, 'POST', path, forwarding)).status).toBe(201);
}

async function publishByAddress(fields: object = {}): Promise<void> {
  const input = { router: ROUTER, external_port: 5001, internal_address: '10.0.0.12', ...fields };
  await bench.registry.forwards.create(parseForwardSpec(input));
}

/** Whether Neutron was asked to do it. */
async function reachesNeutron(method: 'PUT' | 'DELETE', url: string, payload?: object): Promise<boolean> {
  bench.neutron.asked.length = 0;
  const { status, body } = await send(bench, method, url, payload);
  const isAsked = bench.neutron.asked.includes(`${method} ${url}`);
  if (!isAsked) expect([status, body]).toEqual([409, REFUSED]);
  return isAsked;
}

const network = { network_id: 'outside' };
const info = (external_gateway_info: unknown) => ({ router: { external_gateway_info } });
const gateways = (...external_gateways: readonly unknown[]) => ({ router: { external_gateways } });
const at = (...external_fixed_ips: readonly object[]) => ({ ...network, external_fixed_ips });

/** Requests by which the router would lose its gateway, or that address. */
const LOSSES: readonly [path: string, body: object][] = [
  ['', info(null)],
  ['', info({})],
  ['', info([])],
  ['', info(0)],
  ['', info(false)],
  ['', info('')],
  ['', { router: { name: 'new', external_gateway_info: {} } }],
  ['', info({ network_id: 'elsewhere' })],
  ['', info(at({ ip_address: '192.0.2.9' }))],
  ['', info(at({ ip_address: '192.0.2.9', subnet_id: 's0' }))],
  ['', info(at({ subnet_id: 'other' }))],
  ['/update_external_gateways', gateways()],
  ['/update_external_gateways', gateways({ network_id: 'elsewhere' }, network)],
  ['/update_external_gateways', { router: { external_gateways: null } }],
  ['/remove_external_gateways', gateways(network)],
  ['/remove_external_gateways', gateways({ network_id: 'elsewhere' }, at({ ip_address: ADDRESS }))],
];

/** Those by which it does not, or that Neutron refuses. */
const HARMLESS: readonly [path: string, body: object][] = [
  ['', {}],
  ['', { router: { name: 'new' } }],
  ['', info(network)],
  ['', info({ ...network, enable_snat: false })],
  ['', info(at())],
  ['', info(at({ ip_address: ADDRESS }))],
  ['', info(at({ subnet_id: 's0' }))],
  ['', info(at({ ip_address: '192.0.2.9' }, { ip_address: ADDRESS }))],
  ['', info('x')],
  ['', info({ enable_snat: false })],
  ['', info({ network_id: null })],
  ['/add_external_gateways', gateways({ network_id: 'elsewhere' })],
  ['/update_external_gateways', gateways(network)],
  ['/update_external_gateways', { router: {} }],
  ['/remove_external_gateways', gateways({ network_id: 'elsewhere' })],
  ['/remove_external_gateways', gateways(at({ ip_address: '192.0.2.9' }))],
];

describe('the gateway of a router', () => {
  test('with forwards stays', async () => {
    await publish();
    for (const [path, body] of LOSSES) {
      expect([path, body, await reachesNeutron('PUT', `${URL}${path}`, body)]).toEqual([path, body, false]);
    }
  });

  test('with forwards that were made otherwise stays, too, and so does the router', async () => {
    for (const fields of [
      {},
      { external_address: ADDRESS, external_port: 5002 },
      { project_id: 'red', external_port: 5003 },
    ]) {
      for (const { id } of bench.registry.forwards.list()) await bench.registry.forwards.remove(id);
      await publishByAddress(fields);
      expect(await reachesNeutron('PUT', URL, info(null))).toBe(false);
      expect(await reachesNeutron('DELETE', URL)).toBe(false);
    }
  });

  test('is Neutron’s to change in all ways that leave it, and the rest of the router as well', async () => {
    await publish();
    for (const [path, body] of HARMLESS) {
      expect([path, body, await reachesNeutron('PUT', `${URL}${path}`, body)]).toEqual([path, body, true]);
    }
  });

  test('is Neutron’s to change where no forward is at it, and Neutron is not asked about it', async () => {
    await publishByAddress({ external_address: '203.0.113.7' });
    for (const [path, body] of LOSSES) expect(await reachesNeutron('PUT', `${URL}${path}`, body)).toBe(true);
    expect(await reachesNeutron('DELETE', URL)).toBe(true);
    for (const { id } of bench.registry.forwards.list()) await bench.registry.forwards.remove(id);
    expect(await reachesNeutron('PUT', URL, info(null))).toBe(true);
    expect(bench.neutron.asked).toEqual([`PUT ${URL}`]);
  });

  test('stays in whatever form the path is written that Neutron takes', async () => {
    await publish();
    for (const url of [
      `//v2.0/routers/${ROUTER}`,
      `/v2.0//routers/${ROUTER}/`,
      `${URL}.JSON`,
      `/v2.0/qos/routers/${ROUTER}`,
      `/v2%2E0/%72outers/${ROUTER}`,
      `/v2.0/routers%2F${ROUTER}`,
      `/v2.0/routers/${ROUTER.toUpperCase()}`,
      `/v2.0/routers/${ROUTER}%20`,
    ]) {
      const { status, body } = await send(bench, 'PUT', url, info({}));
      expect([url, status, body]).toEqual([url, 409, REFUSED]);
    }
  });
});

describe('an interface', () => {
  const removal = `${URL}/remove_router_interface`;
  const isRefused = async (body: object) => {
    const answer = await send(bench, 'PUT', removal, body);
    return answer.status === 409 && answer.body.NeutronError.type === 'RouterInterfaceInUseByFloatingIP';
  };

  test('stays for forwards that were made for an address as for those that were made for a port', async () => {
    await publishByAddress({ internal_address: '10.0.0.11' });
    expect(await isRefused({ subnet_id: 's1' })).toBe(true);
    expect(await isRefused({ port_id: 'interface' })).toBe(true);
    expect(await isRefused({ subnet_id: 's2' })).toBe(true);
    expect(await isRefused({ subnet_id: 's3' })).toBe(false);
  });

  test('does not trap a router whose gateway is gone, where forwards cannot be seen', async () => {
    await publish();
    expect(await isRefused({ subnet_id: 's1' })).toBe(true);
    bench.neutron.things.routers = [{ ...router(ROUTER, ADDRESS), external_gateway_info: null }];
    expect(bench.neutron.things.ports).toEqual(INSIDE);
    expect(await isRefused({ subnet_id: 's1' })).toBe(false);
  });
});

test.each(['/healthcheck', '/healthcheck/', '//healthcheck', '/healthcheck?detailed=true', '/', '//'])(
  'what Neutron serves besides its API is passed on: %s',
  async (url) => {
    bench.neutron.answer = { status: 200, body: '"OK"' };
    for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
      bench.neutron.asked.length = 0;
      const answer = await bench.api.inject({ method, url });
      expect([method, answer.statusCode, bench.neutron.asked.length]).toEqual([method, 200, 1]);
    }
  },
);
