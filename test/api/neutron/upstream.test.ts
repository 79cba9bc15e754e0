import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { ROUTER } from '../api-under-test.ts';
import type { NeutronStandIn } from './neutron-stand-in.ts';
import {
  forwarding,
  gatewayIdOf,
  openUpstreamBench,
  PORT,
  port,
  router,
  send,
  type UpstreamBench,
} from './upstream-under-test.ts';

const LABEL = `${PORT}/${ROUTER}/10.0.0.11`;

let neutron: NeutronStandIn;
let bench: UpstreamBench;

beforeEach(async () => {
  bench = await openUpstreamBench();
  neutron = bench.neutron;
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('floating IPs', () => {
  test('are found for IPv4 gateways only', async () => {
    neutron.things.routers = [
      { ...router('00000000-0000-4000-8000-000000000001', '2001:db8::1') },
      { id: '00000000-0000-4000-8000-000000000002', project_id: 'blue', external_gateway_info: null },
      { id: '00000000-0000-4000-8000-000000000003', project_id: 'blue', external_gateway_info: { network_id: 'x' } },
    ];
    expect((await send(bench, 'GET', '/v2.0/floatingips')).body).toEqual({ floatingips: [] });
  });

  test('are all there where Neutron makes pages of its lists', async () => {
    neutron.things.routers = Array.from({ length: 7 }, (_, index) =>
      router(`00000000-0000-4000-8000-00000000000${index}`, `192.0.2.${index + 1}`),
    );
    neutron.things.floatingips = Array.from({ length: 5 }, (_, index) => ({
      id: `f${index}`,
      floating_ip_address: `198.51.100.${index}`,
    }));
    neutron.page = 2;
    expect((await send(bench, 'GET', '/v2.0/floatingips')).body.floatingips).toHaveLength(12);
  });

  test('are listed with as few questions as there may be routers', async () => {
    const id = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    neutron.things.routers = Array.from({ length: 50 }, (_, index) => router(id(index), `192.0.2.${index + 1}`));
    for (let index = 0; index < 50; index++) {
      const input = { router: id(index), external_port: 5001, internal_address: `10.0.0.${index + 1}` };
      await bench.registry.forwards.create(parseForwardSpec(input));
    }
    neutron.things.ports = [
      port('interface', id(7), 'network:router_interface', 's7'),
      port('behind', '', '', 's7', '10.0.0.8'),
      port('wrong', '', '', 's7', '10.0.0.9'),
    ];
    neutron.asked.length = 0;
    const { body } = await send(bench, 'GET', '/v2.0/floatingips');
    const known = body.floatingips.flatMap((each: { port_forwardings: readonly object[] }) => each.port_forwardings);
    expect(known.filter((each: { internal_port_id: unknown }) => each.internal_port_id !== null)).toMatchObject([
      { internal_ip_address: '10.0.0.8', internal_port_id: 'behind' },
    ]);
    const lists = ['floatingips', 'routers', 'ports', 'ports'].map((what) => `GET /v2.0/${what}`);
    expect(neutron.asked.toSorted()).toEqual(lists.toSorted());
    neutron.asked.length = 0;
    const one = await send(bench, 'GET', '/v2.0/floatingips?floating_ip_address=203.0.113.1');
    expect([one.body.floatingips, neutron.asked.length]).toEqual([[], 2]);
  });

  test('change their id with their address, and the old one is gone', async () => {
    const before = await gatewayIdOf(bench);
    neutron.things.routers = [router(ROUTER, '192.0.2.9')];
    expect((await send(bench, 'GET', `/v2.0/floatingips/${before}`)).status).toBe(404);
    expect(await gatewayIdOf(bench)).not.toBe(before);
  });

  test('are asked for once, and one by one later', async () => {
    const id = await gatewayIdOf(bench);
    neutron.asked.length = 0;
    expect((await send(bench, 'GET', `/v2.0/floatingips/${id}`)).status).toBe(200);
    expect(neutron.asked).toEqual([`GET /v2.0/routers/${ROUTER}`]);
  });
});

describe('the port of a forward', () => {
  test('that was made for an address is whatever has it behind this router', async () => {
    await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5001, internal_address: '10.0.0.11' }),
    );
    await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5002, internal_address: '10.0.0.12' }),
    );
    const { body } = await send(
      bench,
      'GET',
      `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings?sort_key=external_port&sort_dir=asc`,
    );
    expect(body.port_forwardings).toMatchObject([{ internal_port_id: PORT }, { internal_port_id: null }]);
  });

  test('is asked for once where many forwards lead to it', async () => {
    const path = `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`;
    neutron.asked.length = 0;
    const wishes = Array.from({ length: 20 }, (_, index) => {
      return { ...forwarding.port_forwarding, internal_port: index + 1, external_port: index + 1 };
    });
    expect((await send(bench, 'POST', path, { port_forwardings: wishes })).status).toBe(201);
    const single = [`routers/${ROUTER}`, `ports/${PORT}`, 'floatingips', 'ports'];
    expect(neutron.asked).toHaveLength(single.length);
    expect(neutron.asked).toEqual(expect.arrayContaining(single.map((what) => `GET /v2.0/${what}`)));
  });

  test('has to be named for another address, where no port has that of before', async () => {
    const made = await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5002, internal_address: '10.0.0.12' }),
    );
    const path = `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings/${made.id}`;
    const wish = (differences: object) => ({ port_forwarding: { internal_ip_address: '10.0.0.11', ...differences } });
    const { status, body } = await send(bench, 'PUT', path, wish({}));
    expect([status, body.NeutronError.message]).toEqual([
      400,
      'Bad port_forwarding request: internal_port_id is needed, as no port has the address of before.',
    ]);
    expect((await send(bench, 'PUT', path, wish({ internal_port_id: PORT }))).status).toBe(200);
  });

  test('that was made for a port is that one', async () => {
    const { status, body } = await send(
      bench,
      'POST',
      `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`,
      forwarding,
    );
    expect([status, body.port_forwarding]).toMatchObject([201, forwarding.port_forwarding]);
    const forward = bench.registry.forwards.get(body.port_forwarding.id);
    expect(forward).toMatchObject({ projectId: 'blue', labels: { 'neutron-port': LABEL } });
  });
});

describe('a Neutron in trouble', () => {
  const paths = ['/', '/v2.0/', '/v2.0/networks', '/v2.0/floatingips', '/v2.0/extensions'];

  test.each(paths)('is said to be unavailable: %s', async (path) => {
    await neutron[Symbol.asyncDispose]();
    const { status, body } = await send(bench, 'GET', path);
    expect([status, body]).toEqual([
      503,
      {
        NeutronError: {
          type: 'HTTPServiceUnavailable',
          message: expect.stringMatching(
            /^the Neutron behind this does not answer as it should: [^:]*ECONNREFUSED\)\.$/,
          ),
          detail: '',
        },
      },
    ]);
  });

  test('has its errors passed on, and those inside told as being away', async () => {
    const id = await gatewayIdOf(bench);
    neutron.answer = { status: 403, body: '{"NeutronError": {"type": "Odd"}}' };
    for (const path of ['/v2.0/networks', '/v2.0/floatingips', `/v2.0/floatingips/${id}`]) {
      expect([path, await send(bench, 'GET', path)]).toEqual([
        path,
        { status: 403, body: { NeutronError: { type: 'Odd' } } },
      ]);
    }
    neutron.answer = { status: 500, body: 'oops' };
    expect((await send(bench, 'GET', '/v2.0/floatingips')).status).toBe(503);
    neutron.answer = { status: 200, body: '{"floatingips": [{}]}' };
    expect((await send(bench, 'GET', '/v2.0/floatingips')).status).toBe(503);
    neutron.answer = { status: 200, body: 'no JSON' };
    expect((await send(bench, 'POST', `/v2.0/floatingips/${id}/port_forwardings`, forwarding)).status).toBe(503);
    expect(bench.registry.forwards.list()).toEqual([]);
  });
});

test('a Neutron without routers has no floating IPs, and says so itself', async () => {
  neutron.answer = { status: 404, body: '{"NeutronError": {"type": "HTTPNotFound"}}' };
  expect(await send(bench, 'GET', '/v2.0/floatingips')).toEqual({
    status: 404,
    body: { NeutronError: { type: 'HTTPNotFound' } },
  });
});

test.each(['/', '/v2.0/floatingips', '/v2.0/extensions', '/v2.0/extensions/floating-ip-port-forwarding'])(
  'what Neutron says to HEAD it says itself: %s',
  async (url) => {
    neutron.answer = { status: 405, body: '' };
    expect((await bench.api.inject({ method: 'HEAD', url })).statusCode).toBe(405);
    expect(neutron.asked).toEqual([`HEAD ${url}`]);
  },
);

test('what is no proper HTTP is refused here', async () => {
  const headers = { 'content-type': 'no type' };
  const typeless = await bench.api.inject({ method: 'POST', url: '/v2.0/ports', headers, payload: '{}' });
  const garbled = await bench.api.inject('/v2.0/ports/%zz');
  for (const { statusCode, body } of [typeless, garbled]) {
    expect([statusCode, JSON.parse(body)]).toEqual([400, { NeutronError: expect.anything() }]);
  }
  expect(neutron.asked).toEqual([]);
});
