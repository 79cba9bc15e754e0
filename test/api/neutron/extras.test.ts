import { expect, test } from 'vitest';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { liveNode, ROUTER } from '../api-under-test.ts';
import { fault, openGatewayBench, pick, textAt } from './gateway-under-test.ts';

const ADDRESS = '192.168.50.11';
const EXTRAS = {
  'hatoba:name': 'ssh',
  'hatoba:sources': ['198.51.100.0/24'],
  'hatoba:enabled': true,
  'hatoba:expires_at': '2999-01-01T00:00:00.000Z',
};

async function openWithOne() {
  const bench = await openGatewayBench({
    counters: async (_router, forward) => {
      const ids = forward === null ? bench.registry.forwards.list().map(({ id }) => id) : [forward];
      return ids.map((id) => ({ forward: id, connections: 3, in: { packets: 5, bytes: 70 }, out: null, lastUsed: 0 }));
    },
  });
  liveNode(bench.registry);
  const fields = {
    protocol: 'tcp',
    internal_ip_address: ADDRESS,
    internal_port_id: await bench.portOf(ADDRESS),
    internal_port: 22,
  };
  const forward = await bench.registry.forwards.create(
    parseForwardSpec({
      router: ROUTER,
      external_port: 5001,
      internal_address: ADDRESS,
      internal_port: 21,
      name: 'ftp',
    }),
  );
  return { bench, fields, id: forward.id };
}

test('who does not ask for them sees Neutron’s keys and no others', async () => {
  const { bench, id } = await openWithOne();
  await using _ = bench;
  const keys = [
    'description',
    'external_port',
    'external_port_range',
    'id',
    'internal_ip_address',
    'internal_port',
    'internal_port_id',
    'internal_port_range',
    'protocol',
  ];
  const shown = pick((await bench.ask('GET', bench.path(id))).body, 'port_forwarding');
  expect(Object.keys(new Object(shown)).sort()).toEqual(keys);
  expect((await bench.ask('GET', bench.path(id), { headers: { 'x-hatoba-extras': 'false' } })).body).toEqual({
    port_forwarding: shown,
  });
});

test('what a body says of them is done, and told in the answer, with a state that means something', async () => {
  const { bench, fields } = await openWithOne();
  await using _ = bench;
  const body = { port_forwarding: { ...fields, external_port: 5002, ...EXTRAS } };
  const { status, body: created } = await bench.ask('POST', bench.path(), { body });
  const counters = {
    connections: 3,
    packets_in: 5,
    bytes_in: 70,
    packets_out: null,
    bytes_out: null,
    last_used: '1970-01-01T00:00:00.000Z',
  };
  const told = {
    ...EXTRAS,
    'hatoba:state': 'active',
    'hatoba:message': null,
    'hatoba:warnings': [],
    'hatoba:counters': counters,
  };
  expect([status, created]).toEqual([
    201,
    {
      port_forwarding: {
        ...fields,
        external_port: 5002,
        external_port_range: '5002:5002',
        internal_port_range: '22:22',
        description: '',
        id: expect.any(String),
        ...told,
      },
    },
  ]);
  const id = textAt(created, 'port_forwarding', 'id');
  const changed = await bench.ask('PUT', bench.path(id), { body: { port_forwarding: { 'hatoba:enabled': false } } });
  expect(changed.body).toMatchObject({
    port_forwarding: { ...EXTRAS, 'hatoba:enabled': false, 'hatoba:state': 'disabled' },
  });
  // Who does not speak of them changes none of them.
  const plain = await bench.ask('PUT', bench.path(id), { body: { port_forwarding: { external_port: 5003 } } });
  expect(plain.body).not.toHaveProperty(['port_forwarding', 'hatoba:enabled']);
  expect(bench.registry.forwards.get(id)).toMatchObject({ enabled: false, name: 'ssh' });
});

test('a header or a field asks for them', async () => {
  const { bench, id } = await openWithOne();
  await using _ = bench;
  const headers = { 'x-hatoba-extras': 'true' };
  const state = { 'hatoba:name': 'ftp', 'hatoba:state': expect.any(String), 'hatoba:counters': { connections: 3 } };
  expect((await bench.ask('GET', bench.path(id), { headers })).body).toMatchObject({ port_forwarding: state });
  expect((await bench.ask('GET', bench.path(), { headers })).body).toMatchObject({ port_forwardings: [state] });
  expect((await bench.ask('GET', `${bench.path()}?fields=id&fields=hatoba:name`)).body).toEqual({
    port_forwardings: [{ id, 'hatoba:name': 'ftp' }],
  });
});

test('the same port can lead to different targets for disjoint sources', async () => {
  const { bench, fields } = await openWithOne();
  await using _ = bench;
  const create = (sources: readonly string[], internal_port: number) =>
    bench.ask('POST', bench.path(), {
      body: { port_forwarding: { ...fields, external_port: 5002, internal_port, 'hatoba:sources': sources } },
    });
  expect((await create(['198.51.100.0/24'], 80)).status).toBe(201);
  expect((await create(['203.0.113.0/24'], 81)).status).toBe(201);
  expect((await create(['203.0.113.0/25'], 82)).status).toBe(400);
});

test.each([
  ['POST', { 'hatoba:state': 'active' }, "Attribute 'hatoba:state' not allowed in POST"],
  ['PUT', { 'hatoba:counters': null }, 'Cannot update read-only attribute hatoba:counters'],
  ['PUT', { 'hatoba:colour': 'red' }, "Unrecognized attribute(s) 'hatoba:colour'"],
  ['PUT', { 'hatoba:enabled': 'yes' }, "Invalid input for hatoba:enabled. Reason: 'yes' is not a valid boolean value."],
  [
    'PUT',
    { 'hatoba:sources': '198.51.100.0/24' },
    "Invalid input for hatoba:sources. Reason: '198.51.100.0/24' is not a list.",
  ],
  [
    'PUT',
    { 'hatoba:sources': ['198.51.100.1/24'] },
    'Invalid input for hatoba:sources. Reason: 198.51.100.1/24 has bits set behind its prefix length.',
  ],
  ['PUT', { 'hatoba:name': 'two words' }, 'Invalid input for hatoba:name. Reason: two words cannot be a name.'],
  [
    'PUT',
    { 'hatoba:expires_at': '2001-01-01T00:00:00Z' },
    'Invalid input for hatoba:expires_at. Reason: nothing can end at 2001-01-01T00:00:00.000Z, which has passed.',
  ],
] as const)('%s %j is refused', async (method, extras, message) => {
  const { bench, fields, id } = await openWithOne();
  await using _ = bench;
  const body = { port_forwarding: method === 'POST' ? { ...fields, external_port: 5002, ...extras } : extras };
  const answer = await bench.ask(method, method === 'POST' ? bench.path() : bench.path(id), { body });
  expect([answer.status, answer.body]).toEqual([400, fault('HTTPBadRequest', message)]);
});
