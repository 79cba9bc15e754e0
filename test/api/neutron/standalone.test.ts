import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import type { Caller } from '../../../src/model/caller.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { parseGrants } from '../../../src/model/grants.ts';
import { publish, ROUTER, report } from '../api-under-test.ts';
import { fault, openGatewayBench, pick, textAt } from './gateway-under-test.ts';

const ADDRESS = '192.168.50.11';
/** The floating IP of the gateway 192.168.1.100 of `ROUTER`. */
const OF_ROUTER = 'ea097765-c0d0-5049-a04d-2aa5a14c7f1b';

test('a gateway is a floating IP with Neutron’s keys and no others', async () => {
  await using bench = await openGatewayBench();
  const { body } = await bench.ask('GET', `floatingips/${bench.floatingIp}`);
  expect(Object.keys(new Object(pick(body, 'floatingip'))).sort()).toEqual([
    'created_at',
    'description',
    'fixed_ip_address',
    'floating_ip_address',
    'floating_network_id',
    'id',
    'port_details',
    'port_forwardings',
    'port_id',
    'project_id',
    'revision_number',
    'router_id',
    'status',
    'tags',
    'tenant_id',
    'updated_at',
  ]);
  expect(body).toMatchObject({
    floatingip: { floating_ip_address: '192.168.1.100', router_id: ROUTER, status: 'ACTIVE' },
  });
  expect((await bench.ask('GET', 'floatingips?floating_ip_address=192.168.1.100')).body).toMatchObject({
    floatingips: [{ id: bench.floatingIp, floating_ip_address: '192.168.1.100' }],
  });
  expect((await bench.ask('GET', 'floatingips?floating_ip_address=192.168.1.1')).body).toEqual({ floatingips: [] });
});

test('ids are the same for ever, and others for another router', async () => {
  await using bench = await openGatewayBench({ statuses: [report(0), report(0, { router: 'edge' })] });
  // As Python's uuid.uuid5 makes them of the same words.
  expect((await bench.ask('GET', 'floatingips')).body).toMatchObject({
    floatingips: [
      { id: 'e904a7ee-6ca8-502f-8246-642e2c2a757a', router_id: 'ce3ffcd5-ee52-596b-85c6-335b412542e5' },
      { id: OF_ROUTER, router_id: ROUTER },
    ],
  });
  await publish(bench.registry, report(0, { gateways: { 4: parseAddress('192.168.1.101') } }));
  expect((await bench.ask('GET', `floatingips/${OF_ROUTER}`)).status).toBe(404);
  await publish(bench.registry, report(0));
  expect((await bench.ask('GET', `floatingips/${OF_ROUTER}`)).status).toBe(200);
});

test('it carries forwards that came about otherwise, as far as Neutron has words for them', async () => {
  await using bench = await openGatewayBench();
  const make = (fields: Record<string, unknown>) =>
    bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 1, internal_address: ADDRESS, ...fields }),
    );
  const shown = [
    await make({
      external_port: 5001,
      internal_port: 22,
      sources: ['198.51.100.0/24'],
      expires_at: '2999-01-01T00:00:00Z',
    }),
    await make({ external_port: 5002, protocol: 'udplite' }),
    await make({ external_port: 5003, external_address: '192.168.1.100' }),
  ];
  await make({ external_port: 5004, external_address: '203.0.113.7' });
  await make({ external_port: 5005, internal_address: 'fd00::11' });
  const { body } = await bench.ask('GET', `${bench.path()}?fields=id&fields=protocol&fields=external_port`);
  const expected = shown.map(({ id, protocol, externalPorts }) => ({
    id,
    protocol,
    external_port: externalPorts.first,
  }));
  expect(body).toEqual({ port_forwardings: expected.sort((a, b) => (a.id < b.id ? -1 : 1)) });
  const inFloatingIp = (await bench.ask('GET', `floatingips/${bench.floatingIp}`)).body;
  expect(pick(inFloatingIp, 'floatingip', 'port_forwardings', 0)).toEqual({
    ...expected[0],
    internal_ip_address: ADDRESS,
    internal_port_id: await bench.portOf(ADDRESS),
    internal_port: expected[0]?.external_port === 5001 ? 22 : expected[0]?.external_port,
  });
});

test('any address is the name of a port, which can be asked for by its id from then on', async () => {
  await using bench = await openGatewayBench();
  expect((await bench.ask('GET', 'ports')).body).toEqual({ ports: [] });
  const { body } = await bench.ask('GET', `ports?name=${ADDRESS}`);
  const port = pick(body, 'ports', 0);
  expect(port).toMatchObject({ name: ADDRESS, fixed_ips: [{ ip_address: ADDRESS }] });
  for (const reference of [textAt(port, 'id'), ADDRESS]) {
    expect((await bench.ask('GET', `ports/${reference}`)).body).toEqual({ port });
  }
  expect((await bench.ask('GET', `ports?fixed_ips=ip_address=${ADDRESS}`)).body).toEqual({ ports: [port] });
  expect((await bench.ask('GET', 'ports?name=vm1')).body).toEqual({ ports: [] });
  expect((await bench.ask('GET', 'ports/fd00::11')).status).toBe(404);
  await bench.registry.forwards.create(
    parseForwardSpec({ router: ROUTER, external_port: 1, internal_address: ADDRESS }),
  );
  expect((await bench.ask('GET', 'ports')).body).toEqual({ ports: [port] });
});

test('an address behind several routers is a port of each, with one id everywhere', async () => {
  await using bench = await openGatewayBench({ statuses: [report(0), report(0, { router: 'edge' })] });
  const idOf = async (path: string) => textAt((await bench.ask('GET', path)).body, path.split('?')[0] ?? '', 0, 'id');
  const listed = async (query: string) => {
    const { body } = await bench.ask('GET', `ports?${query}`);
    return pick(body, 'ports');
  };
  expect(await listed(`name=${ADDRESS}`)).toHaveLength(2);
  // As Neutron does with a name that two ports have.
  expect((await bench.ask('GET', `ports/${ADDRESS}`)).status).toBe(404);
  const ids: string[] = [];
  for (const router of [ROUTER, 'edge']) {
    const network = await idOf(`networks?name=inside%20${router}`);
    const subnet = await idOf(`subnets?network_id=${network}`);
    const id = await idOf(`ports?network_id=${network}&name=${ADDRESS}`);
    for (const query of [
      `fixed_ips=subnet_id=${subnet}&fixed_ips=ip_address=${ADDRESS}`,
      `fixed_ips=ip_address=${ADDRESS}&fixed_ips=subnet_id=${subnet}`,
      `id=${id}`,
      `name=${ADDRESS}&fixed_ips=subnet_id=${subnet}`,
    ]) {
      expect([query, await listed(query)]).toEqual([query, [expect.objectContaining({ id, network_id: network })]]);
    }
    expect((await bench.ask('GET', `ports/${id}`)).body).toMatchObject({ port: { id, network_id: network } });
    expect((await bench.ask('GET', `networks/${network}`)).body).toMatchObject({
      network: { name: `inside ${router}` },
    });
    const routerId = await idOf(`routers?name=${router}`);
    const floatingIp = await idOf(`floatingips?router_id=${routerId}`);
    const path = `floatingips/${floatingIp}/port_forwardings`;
    const fields = {
      protocol: 'tcp',
      internal_ip_address: ADDRESS,
      internal_port_id: id,
      internal_port: 22,
      external_port: 5001,
    };
    const created = await bench.ask('POST', path, { body: { port_forwarding: fields } });
    expect([created.status, pick(created.body, 'port_forwarding', 'internal_port_id')]).toEqual([201, id]);
    const own = textAt(created.body, 'port_forwarding', 'id');
    expect(pick((await bench.ask('GET', `${path}/${own}`)).body, 'port_forwarding', 'internal_port_id')).toBe(id);
    expect(pick((await bench.ask('GET', `${path}?internal_port_id=${id}`)).body, 'port_forwardings')).toHaveLength(1);
    const again = await bench.ask('PUT', `${path}/${own}`, { body: { port_forwarding: { internal_port_id: id } } });
    expect([again.status, pick(again.body, 'port_forwarding', 'internal_port_id')]).toEqual([200, id]);
    const inside = (await bench.ask('GET', `floatingips/${floatingIp}`)).body;
    expect(pick(inside, 'floatingip', 'port_forwardings', 0, 'internal_port_id')).toBe(id);
    ids.push(id);
  }
  expect(new Set(ids).size).toBe(2);
  const other = {
    protocol: 'tcp',
    internal_ip_address: ADDRESS,
    internal_port_id: ids[0],
    internal_port: 23,
    external_port: 5002,
  };
  const atEdge = await idOf(`floatingips?router_id=${await idOf('routers?name=edge')}`);
  const refused = await bench.ask('POST', `floatingips/${atEdge}/port_forwardings`, {
    body: { port_forwarding: other },
  });
  expect([refused.status, refused.body]).toEqual([404, fault('PortNotFound', `Port ${ids[0]} could not be found.`)]);
});

test('fixed IPs are asked for as Neutron reads them', async () => {
  await using bench = await openGatewayBench();
  const ask = async (query: string) => {
    const { status, body } = await bench.ask('GET', `ports?${query}`);
    return [status, status === 200 ? pick(body, 'ports') : body];
  };
  expect(await ask(`fixed_ips=subnet_id=none&fixed_ips=ip_address=${ADDRESS}`)).toEqual([200, []]);
  expect(await ask(`fixed_ips=ip_address=${ADDRESS}&fixed_ips=ip_address=10.0.0.1`)).toEqual([
    200,
    [expect.anything(), expect.anything()],
  ]);
  expect(await ask(`name=${ADDRESS}&fixed_ips=ip_address_substr=168.50`)).toEqual([200, [expect.anything()]]);
  expect(await ask(`name=${ADDRESS}&fixed_ips=colour=red`)).toEqual([200, [expect.anything()]]);
  const message = `Invalid input for operation: '${ADDRESS}' is not of the form <key>=[value].`;
  expect(await ask(`fixed_ips=${ADDRESS}`)).toEqual([400, fault('InvalidInput', message)]);
});

test('many are made in one step or not at all', async () => {
  await using bench = await openGatewayBench();
  const port = await bench.portOf(ADDRESS);
  const base = { protocol: 'tcp', internal_ip_address: ADDRESS, internal_port_id: port };
  const item = (number: number) => ({ ...base, internal_port: number, external_port: number });
  const made = await bench.ask('POST', bench.path(), { body: { port_forwardings: [item(3), item(1), item(2)] } });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    port_forwardings: [{ external_port: 3 }, { external_port: 1 }, { external_port: 2 }],
  });
  const before = (await bench.ask('GET', bench.path())).body;
  for (const items of [
    [item(4), item(1)],
    [item(4), item(4)],
    [item(4), { ...item(5), external_port: 0 }],
  ]) {
    expect((await bench.ask('POST', bench.path(), { body: { port_forwardings: items } })).status).toBe(400);
    expect((await bench.ask('GET', bench.path())).body).toEqual(before);
  }
});

test('two that want one port inside do not both get it, however they race', async () => {
  await using bench = await openGatewayBench();
  const port = await bench.portOf(ADDRESS);
  const answers = await Promise.all(
    [5001, 5002, 5003, 5004].map((external_port) => {
      const fields = {
        protocol: 'tcp',
        internal_ip_address: ADDRESS,
        internal_port_id: port,
        internal_port: 22,
        external_port,
      };
      return bench.ask('POST', bench.path(), { body: { port_forwarding: fields } });
    }),
  );
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 400, 400, 400]);
});

test('the floating IPs are nobody’s to make or to change', async () => {
  await using bench = await openGatewayBench();
  const nobodys = fault(
    'HTTPConflict',
    "The floating IPs here are routers' own addresses, which come and go with the routers.",
  );
  const one = `floatingips/${bench.floatingIp}`;
  expect(await bench.ask('POST', 'floatingips', { body: { floatingip: {} } })).toMatchObject({
    status: 409,
    body: nobodys,
  });
  expect(await bench.ask('DELETE', one)).toMatchObject({ status: 409, body: nobodys });
  await bench.registry.forwards.create(
    parseForwardSpec({ router: ROUTER, external_port: 1, internal_address: ADDRESS }),
  );
  const inUse = fault(
    'FipInUseByPortForwarding',
    `Floating IP ${bench.floatingIp} in use by Port Forwarding resources.`,
  );
  expect(await bench.ask('DELETE', one)).toMatchObject({ status: 409, body: inUse });
  const port_id = OF_ROUTER;
  expect(await bench.ask('PUT', one, { body: { floatingip: { port_id } } })).toMatchObject({
    status: 409,
    body: inUse,
  });
});

test.each(['networks', 'subnets', 'routers', 'subnetpools', 'ports'])('%s can be looked up', async (collection) => {
  await using bench = await openGatewayBench();
  await bench.registry.forwards.create(
    parseForwardSpec({ router: ROUTER, external_port: 1, internal_address: ADDRESS }),
  );
  const { status, body } = await bench.ask('GET', collection);
  expect(status).toBe(200);
  const things = pick(body, collection);
  for (const thing of Array.isArray(things) ? things : [null]) {
    const resource = collection.replace(/s$/, '');
    expect((await bench.ask('GET', `${collection}/${textAt(thing, 'id')}`)).body).toEqual({ [resource]: thing });
    expect((await bench.ask('GET', `${collection}?name=${textAt(thing, 'name')}`)).body).toEqual({
      [collection]: [thing],
    });
  }
  expect((await bench.ask('GET', `${collection}/00000000-0000-0000-0000-00000000dead`)).status).toBe(404);
  expect((await bench.ask('POST', collection, { body: {} })).status).toBe(405);
});

test('versions, resources and extensions are those of Neutron', async () => {
  await using bench = await openGatewayBench();
  const root = await bench.api.inject({ url: '/', headers: { host: '127.0.0.1:9797' } });
  expect(root.json()).toEqual({
    versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: 'http://127.0.0.1:9797/v2.0/' }] }],
  });
  const link = (collection: string) => [{ rel: 'self', href: `http://127.0.0.1:9797/v2.0/${collection}` }];
  expect((await bench.ask('GET', '', { headers: { host: '127.0.0.1:9797' } })).body).toEqual({
    resources: [
      { name: 'network', collection: 'networks', links: link('networks') },
      { name: 'subnet', collection: 'subnets', links: link('subnets') },
      { name: 'subnetpool', collection: 'subnetpools', links: link('subnetpools') },
      { name: 'port', collection: 'ports', links: link('ports') },
    ],
  });
  expect((await bench.api.inject('/v2.0')).statusCode).toBe(404);
  const { body } = await bench.ask('GET', 'extensions/floating-ip-port-forwarding');
  expect(body).toEqual({
    extension: {
      name: 'Floating IP Port Forwarding',
      alias: 'floating-ip-port-forwarding',
      description: 'Allow port forwarding from floating IP port to an internal port',
      updated: '2018-01-19T10:00:00-00:00',
      links: [],
    },
  });
  expect(pick((await bench.ask('GET', 'extensions')).body, 'extensions')).toContainEqual(pick(body, 'extension'));
  expect((await bench.ask('POST', 'extensions', { body: {} })).status).toBe(404);
  expect((await bench.ask('GET', 'extensions/none')).body).toMatchObject({
    NeutronError: { type: 'ExtensionNotFound' },
  });
});

test('every answer has an id of its own', async () => {
  await using bench = await openGatewayBench();
  const requestIds = new Set<unknown>();
  for (const path of ['floatingips', 'nope', bench.path('xyz'), 'ports?colour=red']) {
    const { headers } = await bench.ask('GET', path);
    expect(headers['x-openstack-request-id']).toMatch(/^req-[\da-f-]{36}$/);
    requestIds.add(headers['x-openstack-request-id']);
  }
  expect(requestIds.size).toBe(4);
});

const member = (project: string): Caller => ({ name: project, role: 'member', project, allProjects: false });

test('a project sees its own, and meets others only where they have a port already', async () => {
  let caller = member('red');
  const grants = parseGrants([{ project: '*', routers: [{ router: '*' }], external_ports: '5000-5999', quota: 2 }]);
  await using bench = await openGatewayBench({ authenticate: async () => caller, grants });
  const port = await bench.portOf(ADDRESS);
  const fields = {
    protocol: 'tcp',
    internal_ip_address: ADDRESS,
    internal_port_id: port,
    internal_port: 22,
    external_port: 5001,
  };
  const create = (more: object) =>
    bench.ask('POST', bench.path(), { body: { port_forwarding: { ...fields, ...more } } });
  const created = await create({});
  const id = textAt(created.body, 'port_forwarding', 'id');
  expect(bench.registry.forwards.get(id)?.projectId).toBe('red');
  expect(await create({ project_id: 'blue', internal_port: 23, external_port: 5003 })).toMatchObject({
    status: 400,
    body: fault(
      'HTTPBadRequest',
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
    ),
  });

  caller = member('blue');
  expect((await bench.ask('GET', bench.path())).body).toEqual({ port_forwardings: [] });
  const notThere = { status: 404, body: fault('PortForwardingNotFound', `Port Forwarding ${id} could not be found.`) };
  expect(await bench.ask('GET', bench.path(id))).toMatchObject(notThere);
  expect(await bench.ask('DELETE', bench.path(id))).toMatchObject(notThere);
  expect(await create({ internal_port: 23 })).toMatchObject({
    status: 400,
    body: fault(
      'BadRequest',
      'Bad port_forwarding request: There is a port collision with the external_port_range. 5001:5001 is not free.',
    ),
  });
  const many = [5002, 5001].map((number) => ({ ...fields, internal_port: number, external_port: number }));
  expect(await bench.ask('POST', bench.path(), { body: { port_forwardings: many } })).toMatchObject({
    status: 400,
    body: { NeutronError: { message: expect.stringContaining('5001:5001 is not free') } },
  });
  expect(await create({ external_port: 80 })).toMatchObject({
    status: 403,
    body: { NeutronError: { type: 'HTTPForbidden' } },
  });
  expect((await create({ external_port: 5002 })).status).toBe(201);
  expect((await create({ internal_port: 24, external_port: 5004 })).status).toBe(201);
  expect(await create({ internal_port: 25, external_port: 5005 })).toMatchObject({
    status: 409,
    body: fault('OverQuota', "Quota exceeded for resources: ['port_forwarding']."),
  });

  caller = { ...member('red'), role: 'reader' };
  expect((await bench.ask('GET', bench.path(id))).status).toBe(200);
  for (const [method, path, rule] of [
    ['POST', bench.path(), 'create'],
    ['PUT', bench.path(id), 'update'],
    ['DELETE', bench.path(id), 'delete'],
  ] as const) {
    expect(await bench.ask(method, path)).toMatchObject({
      status: 403,
      body: fault('PolicyNotAuthorized', `rule:${rule}_floatingip_port_forwarding is disallowed by policy`),
    });
  }
});

test('that one project has asked for an address is not told to another', async () => {
  let caller: Caller = { name: 'token red', role: 'member', project: 'red', allProjects: false };
  const grants = parseGrants([{ project: '*', routers: [{ router: ROUTER }] }]);
  await using bench = await openGatewayBench({ grants, authenticate: async () => caller });
  const id = await bench.portOf('10.66.0.1');
  const portOfRed = { status: 200, body: { port: { name: '10.66.0.1' } } };
  expect(await bench.ask('GET', `ports/${id}`)).toMatchObject(portOfRed);
  caller = { ...caller, name: 'token blue', project: 'blue' };
  expect(await bench.ask('GET', `ports/${id}`)).toMatchObject({
    status: 404,
    body: fault('PortNotFound', `Port ${id} could not be found.`),
  });
  expect((await bench.ask('GET', `ports?id=${id}`)).body).toEqual({ ports: [] });
  caller = { ...caller, name: 'token scarlet', project: 'red' };
  expect(await bench.ask('GET', `ports/${id}`)).toMatchObject(portOfRed);
});
