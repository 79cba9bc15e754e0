import { expect, test } from 'vitest';
import { ADDRESS, LIKE_NEUTRON, openFilled, SECOND, wrap } from './filled-gateway.ts';
import { fault, type GatewayBench, openGatewayBench, pick, textAt } from './gateway-under-test.ts';

/**
 * What a Neutron 21.0 was seen to answer, in the form in which it does: its facts, written down again for addresses of
 * our own. Where it answered 500, a 400 is expected.
 */
/** Key by key what Neutron answers, but for times and what it makes up. */
test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  [
    'one port to one port',
    { protocol: 'udp', external_port: 5353, internal_port: 53, description: 'dns' },
    {
      external_port: 5353,
      external_port_range: '5353:5353',
      protocol: 'udp',
      internal_port: 53,
      internal_port_range: '53:53',
      description: 'dns',
    },
  ],
  [
    'sctp',
    { protocol: 'sctp', external_port: 2900, internal_port: 2900 },
    {
      external_port: 2900,
      external_port_range: '2900:2900',
      protocol: 'sctp',
      internal_port: 2900,
      internal_port_range: '2900:2900',
      description: '',
    },
  ],
  [
    'dccp, said to be of some project',
    { protocol: 'dccp', external_port: 2901, internal_port: 2901, project_id: 'p' },
    {
      external_port: 2901,
      external_port_range: '2901:2901',
      protocol: 'dccp',
      internal_port: 2901,
      internal_port_range: '2901:2901',
      description: '',
    },
  ],
  [
    'a description of any letters',
    { protocol: 'tcp', external_port: 7061, internal_port: 7061, description: 'héllo ☃' },
    {
      external_port: 7061,
      external_port_range: '7061:7061',
      protocol: 'tcp',
      internal_port: 7061,
      internal_port_range: '7061:7061',
      description: 'héllo ☃',
    },
  ],
])('%s is answered as Neutron does', async (_what, fields, shown) => {
  await using bench = await openGatewayBench(LIKE_NEUTRON);
  const port = await bench.portOf(ADDRESS);
  const body = wrap({ internal_ip_address: ADDRESS, internal_port_id: port, ...fields });
  const created = await bench.ask('POST', bench.path(), { body });
  const expected = { id: expect.any(String), internal_port_id: port, internal_ip_address: ADDRESS, ...shown };
  expect([created.status, created.body]).toEqual([201, { port_forwarding: expected }]);
  const id = textAt(created.body, 'port_forwarding', 'id');
  for (const path of [bench.path(id), `${bench.path(id)}.json`]) {
    expect((await bench.ask('GET', path)).body).toEqual(created.body);
  }
  expect((await bench.ask('GET', bench.path())).body).toEqual({ port_forwardings: [expected] });
});

test('a range has no single ports, as Neutron lists it', async () => {
  const { bench, ids, port } = await openFilled();
  await using _ = bench;
  const range = {
    id: ids.shifted,
    external_port_range: '3000:3009',
    protocol: 'tcp',
    internal_port_id: port,
    internal_ip_address: ADDRESS,
    internal_port_range: '4000:4009',
    description: '',
  };
  expect((await bench.ask('GET', bench.path(ids.shifted))).body).toEqual({ port_forwarding: range });
  expect((await bench.ask('GET', `${bench.path()}?external_port_range=3000:3009`)).body).toEqual({
    port_forwardings: [range],
  });
  expect((await bench.ask('GET', `${bench.path()}?external_port_range=2222&fields=id`)).body).toEqual({
    port_forwardings: [{ id: ids.ssh }],
  });
  expect(pick((await bench.ask('GET', bench.path(ids.gathered))).body, 'port_forwarding')).toMatchObject({
    external_port_range: '3100:3109',
    internal_port: 80,
    internal_port_range: '80:80',
  });
});

type Fields = Readonly<Record<string, unknown>>;

async function put(bench: GatewayBench, id: string, fields: Fields): Promise<readonly [number, unknown]> {
  const { status, body } = await bench.ask('PUT', bench.path(id), { body: wrap(fields) });
  return [status, body];
}

test('a change leaves alone what it does not name', async () => {
  const { bench, ids, port } = await openFilled();
  await using _ = bench;
  const ssh = {
    id: ids.ssh,
    external_port: 2222,
    external_port_range: '2222:2222',
    protocol: 'tcp',
    internal_port_id: port,
    internal_ip_address: ADDRESS,
    internal_port: 22,
    internal_port_range: '22:22',
    description: '',
  };
  const moved = { ...ssh, external_port: 2232, external_port_range: '2232:2232' };
  expect(await put(bench, ids.ssh, { external_port: 2232 })).toEqual([200, { port_forwarding: moved }]);
  expect(await put(bench, ids.ssh, { external_port: 2232 })).toEqual([200, { port_forwarding: moved }]);
  expect(await put(bench, ids.ssh, {})).toEqual([200, { port_forwarding: moved }]);
  const described = { ...moved, description: 'new' };
  expect(await put(bench, ids.ssh, { description: 'new' })).toEqual([200, { port_forwarding: described }]);
  const other = { ...described, internal_port_id: await bench.portOf(SECOND), internal_ip_address: SECOND };
  const named = { internal_port_id: other.internal_port_id, internal_ip_address: SECOND };
  expect(await put(bench, ids.ssh, named)).toEqual([200, { port_forwarding: other }]);
  // A port alone stands for its address.
  expect(await put(bench, ids.ssh, { internal_port_id: port })).toEqual([200, { port_forwarding: described }]);
  const range = { external_port_range: '2240:2243', internal_port_range: '2240:2243' };
  const { external_port: _e, internal_port: _i, ...rest } = described;
  expect(await put(bench, ids.ssh, range)).toEqual([200, { port_forwarding: { ...rest, ...range } }]);
});

test('what is not there is told by kind', async () => {
  const { bench, base, ids } = await openFilled();
  await using _ = bench;
  const DEAD = '00000000-0000-0000-0000-00000000dead';
  const body = wrap({ ...base, external_port: 7071, internal_port: 7071 });
  for (const id of [DEAD, 'xyz']) {
    const expected = fault('FloatingIPNotFound', `Floating IP ${id} could not be found`);
    expect(await bench.ask('POST', `floatingips/${id}/port_forwardings`, { body })).toMatchObject({
      status: 404,
      body: expected,
    });
    expect(await bench.ask('GET', `floatingips/${id}`)).toMatchObject({ status: 404, body: expected });
  }
  const gone = { status: 404, body: fault('PortForwardingNotFound', `Port Forwarding ${DEAD} could not be found.`) };
  expect(await bench.ask('GET', bench.path(DEAD))).toMatchObject(gone);
  expect(await bench.ask('PUT', bench.path(DEAD), { body: wrap({}) })).toMatchObject(gone);
  expect(await bench.ask('DELETE', bench.path(DEAD))).toMatchObject(gone);
  expect(await bench.ask('DELETE', bench.path(ids.ssh))).toMatchObject({ status: 204, body: undefined });
  expect(await bench.ask('DELETE', bench.path(ids.ssh))).toMatchObject({
    status: 404,
    body: fault('PortForwardingNotFound', `Port Forwarding ${ids.ssh} could not be found.`),
  });
  const unknownPort = wrap({ ...base, external_port: 7071, internal_port: 7071, internal_port_id: DEAD });
  expect(await bench.ask('POST', bench.path(), { body: unknownPort })).toMatchObject({
    status: 404,
    body: fault('PortNotFound', `Port ${DEAD} could not be found.`),
  });
  expect(await bench.ask('GET', 'nope')).toMatchObject({
    status: 404,
    body: fault('HTTPNotFound', 'The resource could not be found.'),
  });
});

test('methods that Neutron does not have are told so', async () => {
  const { bench, base, ids } = await openFilled();
  await using _ = bench;
  const refused = {
    status: 405,
    body: fault(
      'HTTPMethodNotAllowed',
      'The server could not comply with the request since it is either malformed or otherwise incorrect.',
    ),
  };
  expect(await bench.ask('PATCH', bench.path(ids.ssh), { body: wrap({}) })).toMatchObject(refused);
  expect(await bench.ask('POST', bench.path(ids.ssh), { body: wrap(base) })).toMatchObject(refused);
  expect(await bench.ask('PUT', bench.path(), { body: wrap(base) })).toMatchObject(refused);
  expect(await bench.ask('DELETE', bench.path())).toMatchObject(refused);
  expect(await bench.ask('HEAD', bench.path())).toMatchObject({ status: 405, body: undefined });
  expect(await bench.ask('DELETE', bench.path(ids.ssh), { body: { a: 1 } })).toMatchObject({
    status: 400,
    body: fault('HTTPBadRequest', 'Request body is not supported in DELETE.'),
  });
});
