import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSweep, startSweeps } from '../../../src/api/neutron/upstream/sweeps.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { createNeutronClient } from '../../../src/openstack/neutron/client.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { eventually } from '../../support/eventually.ts';
import { OTHER_ROUTER, ROUTER } from '../api-under-test.ts';
import type { NeutronStandIn } from './neutron-stand-in.ts';
import {
  forwarding,
  INSIDE,
  openUpstreamBench,
  PORT,
  port,
  router,
  type UpstreamBench,
} from './upstream-under-test.ts';

const LABEL = `${PORT}/${ROUTER}/10.0.0.11`;

let account = { credentials: [], seesAll: true };
let neutron: NeutronStandIn;
let bench: UpstreamBench;

beforeEach(async () => {
  bench = await openUpstreamBench();
  neutron = bench.neutron;
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) {
  const answer = await bench.api.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() };
}

async function gatewayId(): Promise<string> {
  return (await call('GET', '/v2.0/floatingips')).body.floatingips[0].id;
}

describe('floating IPs', () => {
  test('are found for IPv4 gateways only', async () => {
    neutron.things.routers = [
      { ...router('00000000-0000-4000-8000-000000000001', '2001:db8::1') },
      { id: '00000000-0000-4000-8000-000000000002', project_id: 'blue', external_gateway_info: null },
      { id: '00000000-0000-4000-8000-000000000003', project_id: 'blue', external_gateway_info: { network_id: 'x' } },
    ];
    expect((await call('GET', '/v2.0/floatingips')).body).toEqual({ floatingips: [] });
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
    expect((await call('GET', '/v2.0/floatingips')).body.floatingips).toHaveLength(12);
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
    const { body } = await call('GET', '/v2.0/floatingips');
    const known = body.floatingips.flatMap((each: { port_forwardings: readonly object[] }) => each.port_forwardings);
    expect(known.filter((each: { internal_port_id: unknown }) => each.internal_port_id !== null)).toMatchObject([
      { internal_ip_address: '10.0.0.8', internal_port_id: 'behind' },
    ]);
    const lists = ['floatingips', 'routers', 'ports', 'ports'].map((what) => `GET /v2.0/${what}`);
    expect(neutron.asked.toSorted()).toEqual(lists.toSorted());
    neutron.asked.length = 0;
    const one = await call('GET', '/v2.0/floatingips?floating_ip_address=203.0.113.1');
    expect([one.body.floatingips, neutron.asked.length]).toEqual([[], 2]);
  });

  test('change their id with their address, and the old one is gone', async () => {
    const before = await gatewayId();
    neutron.things.routers = [router(ROUTER, '192.0.2.9')];
    expect((await call('GET', `/v2.0/floatingips/${before}`)).status).toBe(404);
    expect(await gatewayId()).not.toBe(before);
  });

  test('are asked for once, and one by one later', async () => {
    const id = await gatewayId();
    neutron.asked.length = 0;
    expect((await call('GET', `/v2.0/floatingips/${id}`)).status).toBe(200);
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
    const { body } = await call(
      'GET',
      `/v2.0/floatingips/${await gatewayId()}/port_forwardings?sort_key=external_port&sort_dir=asc`,
    );
    expect(body.port_forwardings).toMatchObject([{ internal_port_id: PORT }, { internal_port_id: null }]);
  });

  test('is asked for once where many forwards lead to it', async () => {
    const path = `/v2.0/floatingips/${await gatewayId()}/port_forwardings`;
    neutron.asked.length = 0;
    const wishes = Array.from({ length: 20 }, (_, index) => {
      return { ...forwarding.port_forwarding, internal_port: index + 1, external_port: index + 1 };
    });
    expect((await call('POST', path, { port_forwardings: wishes })).status).toBe(201);
    const single = [`routers/${ROUTER}`, `ports/${PORT}`, 'floatingips', 'ports'];
    expect(neutron.asked).toHaveLength(single.length);
    expect(neutron.asked).toEqual(expect.arrayContaining(single.map((what) => `GET /v2.0/${what}`)));
  });

  test('has to be named for another address, where no port has that of before', async () => {
    const made = await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5002, internal_address: '10.0.0.12' }),
    );
    const path = `/v2.0/floatingips/${await gatewayId()}/port_forwardings/${made.id}`;
    const wish = (differences: object) => ({ port_forwarding: { internal_ip_address: '10.0.0.11', ...differences } });
    const { status, body } = await call('PUT', path, wish({}));
    expect([status, body.NeutronError.message]).toEqual([
      400,
      'Bad port_forwarding request: internal_port_id is needed, as no port has the address of before.',
    ]);
    expect((await call('PUT', path, wish({ internal_port_id: PORT }))).status).toBe(200);
  });

  test('that was made for a port is that one', async () => {
    const { status, body } = await call('POST', `/v2.0/floatingips/${await gatewayId()}/port_forwardings`, forwarding);
    expect([status, body.port_forwarding]).toMatchObject([201, forwarding.port_forwarding]);
    const forward = bench.registry.forwards.get(body.port_forwarding.id);
    expect(forward).toMatchObject({ projectId: 'blue', labels: { 'neutron-port': LABEL } });
  });
});

describe('a Neutron in trouble', () => {
  const paths = ['/', '/v2.0/', '/v2.0/networks', '/v2.0/floatingips', '/v2.0/extensions'];

  test.each(paths)('is said to be unavailable: %s', async (path) => {
    await neutron[Symbol.asyncDispose]();
    const { status, body } = await call('GET', path);
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
    const id = await gatewayId();
    neutron.answer = { status: 403, body: '{"NeutronError": {"type": "Odd"}}' };
    for (const path of ['/v2.0/networks', '/v2.0/floatingips', `/v2.0/floatingips/${id}`]) {
      expect([path, await call('GET', path)]).toEqual([path, { status: 403, body: { NeutronError: { type: 'Odd' } } }]);
    }
    neutron.answer = { status: 500, body: 'oops' };
    expect((await call('GET', '/v2.0/floatingips')).status).toBe(503);
    neutron.answer = { status: 200, body: '{"floatingips": [{}]}' };
    expect((await call('GET', '/v2.0/floatingips')).status).toBe(503);
    neutron.answer = { status: 200, body: 'no JSON' };
    expect((await call('POST', `/v2.0/floatingips/${id}/port_forwardings`, forwarding)).status).toBe(503);
    expect(bench.registry.forwards.list()).toEqual([]);
  });
});

test('a Neutron without routers has no floating IPs, and says so itself', async () => {
  neutron.answer = { status: 404, body: '{"NeutronError": {"type": "HTTPNotFound"}}' };
  expect(await call('GET', '/v2.0/floatingips')).toEqual({
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

describe('sweeps', () => {
  afterEach(() => {
    account = { credentials: [], seesAll: true };
  });

  const told: string[] = [];
  const audited: unknown[] = [];
  const log = {
    info: (...words: readonly unknown[]) => {
      if (words.at(-1) === 'audit') audited.push(words[0]);
      else told.push(`info ${String(words.at(-1))}`);
    },
    warn: (...words: readonly unknown[]) => told.push(`warn ${String(words.at(-1))}`),
  };

  const deps = () => ({
    neutron: createNeutronClient(createUpstream(neutron.url)),
    forwards: bench.registry.forwards,
    owners: { note: () => undefined },
    account: async () => account,
    log,
  });

  /** What the last of so many sweeps says, between which what is given is done. */
  async function swept(times: number, between: () => unknown = () => undefined) {
    const sweep = createSweep(deps());
    let last = await sweep();
    for (let time = 1; time < times; time++) {
      await between();
      last = await sweep();
    }
    return last;
  }

  const without = (...ids: readonly string[]) => {
    neutron.things.ports = neutron.things.ports.filter(({ id }) => !ids.includes(id));
  };

  function start(): () => Promise<void> {
    told.length = 0;
    return startSweeps(deps(), 10);
  }

  beforeEach(async () => {
    await call('POST', `/v2.0/floatingips/${await gatewayId()}/port_forwardings`, forwarding);
    await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5001, internal_address: '10.9.9.9' }),
    );
  });

  const left = () => bench.registry.forwards.list().map(({ externalPorts }) => externalPorts.first);

  test('remove what has lost its port, and nothing that was made for an address', async () => {
    const stop = start();
    await eventually(() => expect(neutron.asked.filter((one) => one === 'GET /v2.0/ports').length).toBeGreaterThan(2));
    expect(left()).toEqual([2222, 5001]);
    neutron.things.ports = neutron.things.ports.filter(({ id }) => id !== PORT);
    await eventually(() => expect(left()).toEqual([5001]));
    await stop();
    expect(told).toEqual(['info removed forwards whose ports Neutron has no more']);
  });

  test.each([
    ['its port', () => without(PORT)],
    ['its port, and its router the interface', () => without(PORT, 'interface')],
    ['its router the interface', () => without('interface')],
    [
      'its port the address',
      () => {
        neutron.things.ports = neutron.things.ports.map((port) =>
          port.id === PORT ? { ...port, fixed_ips: [] } : port,
        );
      },
    ],
    ['its router', () => (neutron.things.routers = [])],
  ])('remove what has lost %s, when two have found it so', async (_what, lose) => {
    const sweep = createSweep(deps());
    await sweep();
    lose();
    expect(await sweep()).toEqual({ removed: 0, hidden: [] });
    expect(await sweep()).toEqual({ removed: 1, hidden: [] });
    expect(left()).toEqual([5001]);
  });

  test('remove a port that was gone at the start, where its router shows its gateway to this account', async () => {
    without(PORT, 'interface');
    neutron.things.ports = [...neutron.things.ports, port('gateway', ROUTER, 'network:router_gateway', 's0')];
    expect(await swept(2)).toEqual({ removed: 1, hidden: [] });
  });

  test('are told in the audit log, forward by forward', async () => {
    audited.length = 0;
    const [made] = bench.registry.forwards.list();
    without(PORT);
    await swept(2);
    const what = { ids: [made?.id], count: 1, router: ROUTER, port: PORT, revision: expect.any(Number) };
    expect(audited).toEqual([{ audit: expect.objectContaining({ caller: 'sweep', operation: 'sweep', ...what }) }]);
  });

  test('remove nothing that was changed, or found again, in between', async () => {
    without(PORT);
    const [made] = bench.registry.forwards.list();
    const rename = () => bench.registry.forwards.update(made?.id ?? '', (spec) => ({ ...spec, description: 'new' }));
    expect(await swept(2, rename)).toEqual({ removed: 0, hidden: [] });
    const comeAndGo = () =>
      (neutron.things.ports = neutron.things.ports.length === 2 ? INSIDE : INSIDE.filter(({ id }) => id !== PORT));
    expect(await swept(5, comeAndGo)).toEqual({ removed: 0, hidden: [] });
    expect(left()).toEqual([2222, 5001]);
  });

  test.each([
    ['a router', () => (neutron.things.routers = [])],
    ['all that a router has', () => (neutron.things.ports = [])],
  ])('remove nothing where they were never shown %s', async (_what, hide) => {
    hide();
    expect(await swept(3)).toEqual({ removed: 0, hidden: [ROUTER] });
    expect(left()).toEqual([2222, 5001]);
  });

  test('remove no forward that was led elsewhere by other means', async () => {
    const [made] = bench.registry.forwards.list();
    const change = { internal_address: '10.9.9.8' };
    await bench.api.inject({ method: 'PATCH', url: `/v1/forwards/${made?.id}`, payload: change });
    const labels = { 'neutron-port': LABEL };
    const moved = { router: OTHER_ROUTER, external_port: 5002, internal_address: '10.0.0.11', labels };
    await bench.registry.forwards.create(parseForwardSpec(moved));
    neutron.things.routers = [...neutron.things.routers, router(OTHER_ROUTER, '192.0.2.2')];
    expect(await swept(3)).toEqual({ removed: 0, hidden: [] });
    expect(left()).toEqual([2222, 5001, 5002]);
  });

  test.each([
    ['its router', () => (neutron.things.routers = [])],
    ['its port, with all that the router has', () => (neutron.things.ports = [])],
    ['the interface of its router', () => without('interface')],
  ])('remove nothing where Neutron may only hide %s', async (_what, hide) => {
    account = { credentials: [], seesAll: false };
    expect(await swept(4, hide)).toEqual({ removed: 0, hidden: [ROUTER] });
    expect(left()).toEqual([2222, 5001]);
  });

  test('say once that something may be hidden', async () => {
    neutron.things.routers = [];
    const stop = start();
    const asked = neutron.asked.length;
    await eventually(() => expect(neutron.asked.length).toBeGreaterThan(asked + 8));
    await stop();
    expect(told).toEqual(['warn Neutron may hide routers, or their ports, from the account of this service']);
  });

  test('remove nothing while Neutron does not answer, say so once, and go on when it does', async () => {
    neutron.things.ports = neutron.things.ports.filter(({ id }) => id !== PORT);
    neutron.answer = { status: 503, body: '' };
    const stop = start();
    await eventually(() => expect(told).toHaveLength(1));
    const asked = neutron.asked.length;
    await eventually(() => expect(neutron.asked.length).toBeGreaterThan(asked + 4));
    expect(left()).toEqual([2222, 5001]);
    neutron.answer = null;
    await eventually(() => expect(left()).toEqual([5001]));
    await stop();
    expect(told.toSorted()).toEqual([
      'info Neutron can be asked for ports again',
      'info removed forwards whose ports Neutron has no more',
      'warn Neutron cannot be asked for ports; forwards stay as they are',
    ]);
  });

  test('ask for routers alone where no forward was made for a port, so that tenants find their own', async () => {
    for (const { id } of bench.registry.forwards.list()) await bench.registry.forwards.remove(id);
    neutron.asked.length = 0;
    const noted: string[] = [];
    const sweep = createSweep({ ...deps(), owners: { note: (...words) => noted.push(words.join(' of ')) } });
    await sweep();
    expect(neutron.asked).toEqual(['GET /v2.0/routers']);
    expect(noted).toEqual([`${ROUTER} of blue`]);
  });
});
