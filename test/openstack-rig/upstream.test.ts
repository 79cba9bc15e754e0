import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
import { readableToken } from './readable-tokens.ts';

let bench: NeutronBench;
let cloud: Cloud;
let port: Made;
/** Of alice's gateway, as a floating IP. */
let gateway: Made;

const get = (path: string, token = ALICE) => ask(`${bench.url}${path}`, 'GET', token);
const directly = (path: string, token = ALICE) => ask(`${bench.neutron.url}${path}`, 'GET', token);

function listOf(body: Readonly<Record<string, unknown>>, collection: string): readonly Made[] {
  const list = body[collection];
  return Array.isArray(list) ? list : [];
}

async function floatingIps(query = '', token = ALICE): Promise<readonly Made[]> {
  const { status, body } = await get(`/v2.0/floatingips${query}`, token);
  expect({ status, body }).toMatchObject({ status: 200 });
  return listOf(body, 'floatingips');
}

beforeAll(async () => {
  bench = await openNeutronBench();
  cloud = await buildCloud(bench.url);
  port = await make(bench.url, ALICE, 'ports', 'port', { network_id: cloud.network.id, name: 'vm' });
  const [found] = await floatingIps();
  if (found === undefined) throw new Error('there is no floating IP for the gateway');
  gateway = found;
}, BUILDING);

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** Ways to write paths, whether Neutron takes them or not; what it does not read as JSON is compared as text. */
const FORMS = [
  '//',
  '/healthcheck',
  '//v2.0/networks',
  '///v2.0///networks//',
  '/v2.0//',
  '/v2.0/networks.JSON',
  '/v2.0/networks.xml',
  '/v2.0/networks/.json',
  '/%762%2e0/n%65tworks',
  '/v2.0%2Fnetworks',
  '/v2.0/networks%2f',
  '/v2.0/./networks',
  '/v2.0/Networks',
  '//v2.0//extensions/none',
];

describe('what is not ours', () => {
  test.each([
    '/',
    '/v2.0/',
    '/v2.0/networks',
    '/v2.0/networks?fields=id&fields=name',
    '/v2.0/subnets?sort_key=id&sort_dir=desc',
    '/v2.0/routers',
    '/v2.0/ports',
    '/v2.0/security-groups',
    '/v2.0/quotas',
    '/v2.0/networks/none',
    '/v2.0/networks?shoe=1',
    '/v2.0/nothing',
    '/v2.0/networks.json',
    ...FORMS,
    '/v2.0/extensions/quotas',
    '/v2.0/extensions/none',
  ])('is answered as Neutron does: %s', async (path) => {
    const [passed, direct] = [await get(path), await directly(path)];
    const ours = JSON.stringify(passed.body).replaceAll(bench.url, bench.neutron.url);
    expect([passed.status, JSON.parse(ours)]).toEqual([direct.status, direct.body]);
    expect([...passed.headers.keys()].filter((name) => !LOCAL.has(name))).toEqual(
      [...direct.headers.keys()].filter((name) => !LOCAL.has(name)),
    );
  });

  /** Of a connection, or counted differently where links have another length. */
  const LOCAL = new Set(['connection', 'keep-alive', 'content-length', 'transfer-encoding']);

  test('has links that lead here', async () => {
    const seen: string[] = [];
    let next: string | undefined = `${bench.url}/v2.0/security-groups?limit=1`;
    await make(bench.url, ADMIN, 'security-groups', 'security_group', { name: 'one' });
    await make(bench.url, ADMIN, 'security-groups', 'security_group', { name: 'two' });
    while (next !== undefined && seen.length < 20) {
      expect(next.startsWith(bench.url)).toBe(true);
      const { body } = await ask(next, 'GET', ADMIN);
      seen.push(...listOf(body, 'security_groups').map(({ id }) => id));
      next = listOf(body, 'security_groups_links')
        .filter(({ rel }) => rel === 'next')
        .map(({ href }) => String(href))[0];
    }
    const all = listOf((await directly('/v2.0/security-groups', ADMIN)).body, 'security_groups');
    expect(seen.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  test('needs the rights that Neutron wants', async () => {
    expect((await get('/v2.0/networks', 'nonsense')).status).toBe(401);
    const { status, body } = await ask(`${bench.url}/v2.0/networks`, 'POST', BOB, { network: { shared: true } });
    expect([status, JSON.stringify(body)]).toEqual([403, expect.stringContaining('PolicyNotAuthorized')]);
  });
});

describe('the list of floating IPs', () => {
  test('has one for the gateway of a router, for those who may see the router', async () => {
    expect(gateway).toMatchObject({
      floating_ip_address: cloud.gateway,
      floating_network_id: cloud.outside.id,
      router_id: cloud.router.id,
      project_id: 'blue',
      port_forwardings: [],
      status: 'ACTIVE',
    });
    expect(await floatingIps('', BOB)).toEqual([]);
    expect(await floatingIps('', ADMIN)).toEqual([gateway]);
    const unbound = { port_id: null, fixed_ip_address: null, port_details: null };
    expect((await get(`/v2.0/floatingips/${gateway.id}`)).body['floatingip']).toEqual({ ...gateway, ...unbound });
    expect((await get(`/v2.0/floatingips/${gateway.id}`, BOB)).body).toEqual({
      NeutronError: {
        type: 'FloatingIPNotFound',
        message: `Floating IP ${gateway.id} could not be found`,
        detail: '',
      },
    });
  });

  test('has those of Neutron as Neutron has them', async () => {
    const real = await make(bench.url, ALICE, 'floatingips', 'floatingip', { floating_network_id: cloud.outside.id });
    try {
      const shown = (await directly(`/v2.0/floatingips/${real.id}`)).body['floatingip'];
      expect((await get(`/v2.0/floatingips/${real.id}`)).body['floatingip']).toEqual(shown);
      const both = [gateway, real].toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect((await floatingIps()).map(({ id }) => id)).toEqual(both.map(({ id }) => id));
      expect(await floatingIps()).toContainEqual(shown);
      expect(Object.keys(gateway).toSorted()).toEqual(Object.keys(real).toSorted());
      expect(await floatingIps(`?floating_ip_address=${cloud.gateway}`)).toEqual([gateway]);
      expect(await floatingIps(`?router_id=${cloud.router.id}&fields=id`)).toEqual([{ id: gateway.id }]);
      expect(await floatingIps(`?port_id=${port.id}`)).toEqual([]);
      expect(await floatingIps('?status=DOWN&fields=id')).toEqual([{ id: real.id }]);
      expect(await floatingIps('?not-tags=x&fields=id')).toHaveLength(2);
      const byAddress = [gateway, real].toSorted((a, b) =>
        String(a['floating_ip_address']) < String(b['floating_ip_address']) ? 1 : -1,
      );
      expect(await floatingIps('?sort_key=floating_ip_address&sort_dir=desc&fields=id')).toEqual(
        byAddress.map(({ id }) => ({ id })),
      );
      const [first, second] = both;
      const page = await get('/v2.0/floatingips?limit=1&fields=id');
      expect(listOf(page.body, 'floatingips')).toEqual([{ id: first?.id }]);
      const href = listOf(page.body, 'floatingips_links').find(({ rel }) => rel === 'next')?.['href'];
      expect((await ask(String(href), 'GET', ALICE)).body['floatingips']).toEqual([{ id: second?.id }]);
    } finally {
      expect((await ask(`${bench.url}/v2.0/floatingips/${real.id}`, 'DELETE', ALICE)).status).toBe(204);
    }
  });

  test('refuses what Neutron refuses', async () => {
    for (const path of ['?shoe=1', '?sort_key=shoe&sort_dir=asc', '?sort_key=id']) {
      const [passed, direct] = [await get(`/v2.0/floatingips${path}`), await directly(`/v2.0/floatingips${path}`)];
      expect([path, passed.status, passed.body]).toEqual([path, 400, direct.body]);
    }
    expect((await get('/v2.0/floatingips', 'nonsense')).status).toBe(401);
  });
});

const forwardings = (suffix = '') => `${bench.url}/v2.0/floatingips/${gateway.id}/port_forwardings${suffix}`;

function wish(differences: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    port_forwarding: {
      protocol: 'tcp',
      internal_port_id: port.id,
      internal_ip_address: addressOf(port),
      internal_port: 22,
      external_port: 2222,
      ...differences,
    },
  };
}

describe('a forward at the floating IP of a gateway', () => {
  test('is made, listed, shown, changed and deleted', async () => {
    const { status, body } = await ask(forwardings(), 'POST', ALICE, wish());
    expect([status, body]).toEqual([
      201,
      {
        port_forwarding: {
          id: expect.any(String),
          protocol: 'tcp',
          internal_port_id: port.id,
          internal_ip_address: addressOf(port),
          internal_port: 22,
          internal_port_range: '22:22',
          external_port: 2222,
          external_port_range: '2222:2222',
          description: '',
        },
      },
    ]);
    const [made] = [body['port_forwarding']];
    const [forward] = bench.registry.forwards.list();
    expect(forward).toMatchObject({ router: cloud.router.id, projectId: 'blue', internalAddress: { family: 4 } });
    expect((await ask(forwardings(), 'GET', ALICE)).body).toEqual({ port_forwardings: [made] });
    expect((await floatingIps())[0]?.['port_forwardings']).toMatchObject([{ internal_port_id: port.id }]);
    expect((await ask(forwardings(), 'GET', ADMIN)).body).toEqual({ port_forwardings: [made] });
    expect((await ask(forwardings(), 'GET', BOB)).status).toBe(404);
    const change = { port_forwarding: { external_port: 2223, internal_port_id: port.id } };
    const changed = await ask(forwardings(`/${forward?.id}`), 'PUT', ALICE, change);
    expect(changed.body['port_forwarding']).toMatchObject({ external_port: 2223, internal_port: 22 });
    expect((await ask(forwardings(`/${forward?.id}`), 'GET', ALICE)).body).toEqual(changed.body);
    expect((await ask(forwardings(`/${forward?.id}`), 'DELETE', ALICE)).status).toBe(204);
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('belongs to the owner of the router, whoever makes it', async () => {
    const { status } = await ask(forwardings(), 'POST', ADMIN, wish());
    expect(status).toBe(201);
    const [forward] = bench.registry.forwards.list();
    expect(forward?.projectId).toBe('blue');
    expect((await ask(forwardings(`/${forward?.id}`), 'DELETE', ALICE)).status).toBe(204);
  });

  test('needs a port that there is, at an address that it has, and that the router reaches', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    const isolated = await make(bench.url, ALICE, 'networks', 'network', { name: 'isolated' });
    const subnet = { network_id: isolated.id, ip_version: 4, cidr: '10.9.0.0/24' };
    const isolatedSubnet = await make(bench.url, ALICE, 'subnets', 'subnet', subnet);
    const far = await make(bench.url, ALICE, 'ports', 'port', { network_id: isolated.id });
    const bobs = await make(bench.url, BOB, 'networks', 'network', { name: 'bobs' });
    const bobsSubnet = await make(bench.url, BOB, 'subnets', 'subnet', { ...subnet, network_id: bobs.id });
    const hidden = await make(bench.url, BOB, 'ports', 'port', { network_id: bobs.id });
    expect(bobsSubnet.id).not.toBe(isolatedSubnet.id);
    const cases: readonly [Readonly<Record<string, unknown>>, number, string, string][] = [
      [{ internal_port_id: unknown }, 404, 'PortNotFound', `Port ${unknown} could not be found.`],
      [{ internal_port_id: hidden.id }, 404, 'PortNotFound', `Port ${hidden.id} could not be found.`],
      [
        { internal_ip_address: '10.0.0.250' },
        400,
        'BadRequest',
        'Bad port_forwarding request: Requested internal IP address 10.0.0.250 is not suitable for internal neutron ' +
          `port ${port.id}, as its fixed_ips are [{'subnet_id': '${cloud.subnet.id}', 'ip_address': '${addressOf(port)}'}].`,
      ],
      [
        { internal_port_id: far.id, internal_ip_address: addressOf(far) },
        400,
        'BadRequest',
        `Bad port_forwarding request: External network ${cloud.outside.id} is not reachable from subnet ` +
          `${isolatedSubnet.id}. Cannot set Port forwarding for port ${far.id} with Floating IP ${gateway.id}.`,
      ],
    ];
    for (const [differences, status, type, message] of cases) {
      const answer = await ask(forwardings(), 'POST', ALICE, wish(differences));
      expect([answer.status, answer.body]).toEqual([status, { NeutronError: { type, message, detail: '' } }]);
    }
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('is refused to a port with a floating IP of its own, in the words of Neutron', async () => {
    const real = await make(bench.url, ALICE, 'floatingips', 'floatingip', {
      floating_network_id: cloud.outside.id,
      port_id: port.id,
    });
    const other = await make(bench.url, ALICE, 'floatingips', 'floatingip', { floating_network_id: cloud.outside.id });
    const ours = await ask(forwardings(), 'POST', ALICE, wish());
    const theirs = await ask(`${bench.url}/v2.0/floatingips/${other.id}/port_forwardings`, 'POST', ALICE, wish());
    expect([ours.status, ours.body]).toEqual([409, theirs.body]);
    expect(theirs.status).toBe(409);
    for (const { id } of [real, other]) await ask(`${bench.url}/v2.0/floatingips/${id}`, 'DELETE', ALICE);
  });

  test('is for members, not for readers', async () => {
    const reader = readableToken('rita', 'blue', 'reader');
    expect((await ask(forwardings(), 'GET', reader)).status).toBe(200);
    const { status, body } = await ask(forwardings(), 'POST', reader, wish());
    expect([status, JSON.stringify(body)]).toEqual([403, expect.stringContaining('PolicyNotAuthorized')]);
  });
});

describe('a forward at a floating IP of Neutron', () => {
  test('is Neutron’s', async () => {
    const real = await make(bench.url, ALICE, 'floatingips', 'floatingip', { floating_network_id: cloud.outside.id });
    const made = await make(bench.url, ALICE, `floatingips/${real.id}/port_forwardings`, 'port_forwarding', {
      protocol: 'tcp',
      internal_port_id: port.id,
      internal_ip_address: addressOf(port),
      internal_port: 80,
      external_port: 8080,
    });
    const path = `/v2.0/floatingips/${real.id}/port_forwardings/${made.id}`;
    expect((await get(path)).body).toEqual((await directly(path)).body);
    expect(bench.registry.forwards.list()).toEqual([]);
    expect((await ask(`${bench.url}${path}`, 'DELETE', ALICE)).status).toBe(204);
    await ask(`${bench.url}/v2.0/floatingips/${real.id}`, 'DELETE', ALICE);
  });
});
