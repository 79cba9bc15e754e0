import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROUTER } from '../api-under-test.ts';
import { fault } from './gateway-under-test.ts';
import { forwarding, gatewayIdOf, openUpstreamBench, type UpstreamBench } from './upstream-under-test.ts';

const REAL = 'f0000000-0000-4000-8000-000000000001';
const PATH = `/v2.0/floatingips/${REAL}/port_forwardings`;
const PLUGIN = { id: 'floating-ip-port-forwarding', alias: 'floating-ip-port-forwarding' };

let bench: UpstreamBench;

beforeEach(async () => {
  bench = await openUpstreamBench();
  bench.neutron.things.floatingips = [{ id: REAL, floating_ip_address: '192.0.2.77' }];
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

async function ask(method: Method, url: string, payload?: object) {
  const answer = await bench.api.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return [answer.statusCode, answer.body === '' ? null : answer.json()];
}

describe('where Neutron has no plugin for port forwardings, one of its floating IPs', () => {
  test('has none, and can get none, for a reason', async () => {
    expect(await ask('GET', PATH)).toEqual([200, { port_forwardings: [] }]);
    const [status, body] = await ask('POST', PATH, forwarding);
    expect([status, body.NeutronError.type, body.NeutronError.message]).toEqual([
      400,
      'BadRequest',
      expect.stringContaining(`Floating IP 192.0.2.77 (${REAL}) cannot have port forwardings, as Neutron's plugin`),
    ]);
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      expect(await ask(method, `${PATH}/x`)).toEqual([
        404,
        fault('PortForwardingNotFound', 'Port Forwarding x could not be found.'),
      ]);
    }
    expect((await ask('PATCH', PATH))[0]).toBe(405);
    expect(bench.neutron.asked.filter((one) => !one.startsWith('GET '))).toEqual([]);
  });

  test('is none where Neutron shows none', async () => {
    bench.neutron.things.floatingips = [];
    expect(await ask('GET', PATH)).toEqual([
      404,
      fault('FloatingIPNotFound', `Floating IP ${REAL} could not be found`),
    ]);
  });

  test('has all that is said by the extensions that are advertised', async () => {
    const [, { extensions }] = await ask('GET', '/v2.0/extensions');
    const aliases = extensions.map(({ alias }: { alias: string }) => alias);
    expect(aliases).toContain('floating-ip-port-forwarding');
    expect(aliases).not.toContain('expose-port-forwarding-in-fip');
    expect((await ask('GET', '/v2.0/extensions/floating-ip-port-forwarding'))[0]).toBe(200);
  });
});

test('with the plugin they are Neutron’s', async () => {
  bench.neutron.things.extensions = [PLUGIN];
  for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
    for (const path of [PATH, `${PATH}/x`]) {
      bench.neutron.asked.length = 0;
      await ask(method, path, method === 'GET' ? undefined : {});
      expect(bench.neutron.asked).toContain(`${method} ${path}`);
    }
  }
});

describe('what Neutron answers to ask for a token', () => {
  const refusal = {
    status: 401,
    body: '{"error": {"code": 401}}',
    headers: { 'www-authenticate': 'Keystone uri="k"' },
  };

  test.each<[Method, string]>([
    ['GET', '/v2.0/extensions'],
    ['GET', '/v2.0/extensions/floating-ip-port-forwarding'],
    ['GET', '/v2.0/floatingips'],
    ['GET', PATH],
    ['PUT', `/v2.0/routers/${ROUTER}/remove_router_interface`],
    ['PUT', `/v2.0/routers/${ROUTER}`],
    ['GET', '/v2.0/networks'],
  ])('survives: %s %s', async (method, url) => {
    const path = `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`;
    expect((await ask('POST', path, forwarding))[0]).toBe(201);
    bench.neutron.answer = { ...refusal, headers: { ...refusal.headers, 'x-openstack-request-id': 'req-1' } };
    const payload = { subnet_id: 's1', router: { external_gateway_info: {} } };
    const answer = await bench.api.inject({ method, url, ...(method === 'GET' ? {} : { payload }) });
    expect([answer.statusCode, answer.body]).toEqual([401, refusal.body]);
    expect(answer.headers).toMatchObject({ ...refusal.headers, 'x-openstack-request-id': 'req-1' });
  });
});
