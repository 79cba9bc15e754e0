import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { ROUTER } from '../api-under-test.ts';
import { fault, type GatewayBench, openGatewayBench } from './gateway-under-test.ts';
import { openUpstreamBench, type UpstreamBench } from './upstream-under-test.ts';

const ADDRESS = '192.168.1.100';

interface FloatingIp {
  readonly id: string;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
  readonly status: string;
  readonly router_id: string | null;
  readonly port_details: object | null;
  readonly port_forwardings: readonly object[];
  readonly portforwardings?: readonly object[];
}

/** By which clients tell that a floating IP is free. */
const SEARCHES: Readonly<Record<string, (floatingIp: FloatingIp) => boolean>> = {
  'openstacksdk, gophercloud, neutronclient: no port': ({ port_id }) => !port_id,
  'juju: no fixed IP': ({ fixed_ip_address }) => !fixed_ip_address,
  'scripts: status DOWN': ({ status }) => status === 'DOWN',
  'scripts: no router': ({ router_id }) => !router_id,
  'libcloud, Ansible: no port details': ({ port_details }) => port_details === null,
};

/** As Horizon offers floating IPs to be associated, and for port forwardings (openstack_dashboard, api/neutron.py). */
const isOffered = ({ port_id, portforwardings = [] }: FloatingIp) => !port_id && portforwardings.length === 0;
const mayForward = ({ port_id }: FloatingIp) => !port_id;

let bench: GatewayBench;

beforeEach(async () => {
  bench = await openGatewayBench();
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function list(query = ''): Promise<readonly FloatingIp[]> {
  const { status, body } = await bench.ask('GET', `floatingips${query}`);
  expect([query, status]).toEqual([query, 200]);
  const { floatingips }: { floatingips: readonly FloatingIp[] } = JSON.parse(JSON.stringify(body));
  return floatingips;
}

async function show(): Promise<FloatingIp> {
  const { body } = await bench.ask('GET', `floatingips/${bench.floatingIp}`);
  return JSON.parse(JSON.stringify(body)).floatingip;
}

async function publish(external = 5001) {
  const input = { router: ROUTER, external_port: external, internal_address: '192.168.50.11' };
  return bench.registry.forwards.create(parseForwardSpec(input));
}

describe.each(['with', 'without'])('a gateway %s forwards', (which) => {
  beforeEach(async () => {
    if (which === 'with') await publish();
  });

  test.each(Object.entries(SEARCHES))('does not look free to %s', async (_client, looksFree) => {
    for (const query of ['', `?floating_ip_address=${ADDRESS}`, `?router_id=${ROUTER}`, '?status=ACTIVE', '?limit=5']) {
      expect((await list(query)).map((each) => [each.id, looksFree(each)])).toEqual([[bench.floatingIp, false]]);
    }
  });

  test('is not found by filters for free ones', async () => {
    for (const query of ['?port_id=', '?fixed_ip_address=', '?status=DOWN', '?router_id=', '?port_id=&project_id=']) {
      expect([query, await list(query)]).toEqual([query, []]);
    }
  });

  test('is found by its address, router, port and fixed IP', async () => {
    const [{ port_id: port } = { port_id: '' }] = await list();
    for (const query of [`floating_ip_address=${ADDRESS}`, `port_id=${port}`, `fixed_ip_address=${ADDRESS}`]) {
      expect((await list(`?${query}`)).map(({ id }) => id)).toEqual([bench.floatingIp]);
    }
    expect((await bench.ask('GET', `ports/${port}`)).body).toMatchObject({
      port: {
        id: port,
        device_id: ROUTER,
        device_owner: 'network:router_gateway',
        fixed_ips: [{ ip_address: ADDRESS }],
      },
    });
  });

  test('is offered by Horizon for port forwardings, and for nothing else', async () => {
    for (const query of ['?project_id=', '?tenant_id=']) {
      const [listed] = await list(query);
      expect(listed).toBeDefined();
      if (listed !== undefined) expect([mayForward(listed), isOffered(listed)]).toEqual([true, false]);
    }
    expect(mayForward(await show())).toBe(true);
  });
});

describe('a change of a gateway', () => {
  const put = async (floatingip: object, headers: Readonly<Record<string, string>> = {}) => {
    const { status, body } = await bench.ask('PUT', `floatingips/${bench.floatingIp}`, {
      body: { floatingip },
      headers,
    });
    return [status, body];
  };
  const nobodys = fault(
    'HTTPConflict',
    "The floating IPs here are routers' own addresses, which come and go with the routers.",
  );
  const inUse = () =>
    fault('FipInUseByPortForwarding', `Floating IP ${bench.floatingIp} in use by Port Forwarding resources.`);
  const port_id = '11111111-0000-4000-8000-000000000001';

  test.each([{}, { port_id: null }, { port_id: null, fixed_ip_address: null }, { description: '' }])(
    'that changes nothing is done: %j',
    async (change) => {
      await publish();
      expect(await put(change)).toEqual([200, { floatingip: await show() }]);
    },
  );

  test.each<[object, boolean, () => unknown]>([
    [{ description: 'ssh' }, true, () => [409, nobodys]],
    [{ description: 'ssh' }, false, () => [409, nobodys]],
    [{ qos_policy_id: port_id }, true, () => [409, nobodys]],
    [{ port_id }, true, () => [409, inUse()]],
    [{ port_id }, false, () => [409, nobodys]],
    [{ port_id: 'x' }, true, () => [400, expect.anything()]],
    [
      { fixed_ip_address: '10.0.0.1' },
      true,
      () => [
        400,
        fault('BadRequest', 'Bad floatingip request: fixed_ip_address cannot be specified without a port_id.'),
      ],
    ],
    [
      { floating_ip_address: '10.0.0.1' },
      true,
      () => [400, fault('HTTPBadRequest', 'Cannot update read-only attribute floating_ip_address')],
    ],
    [{ shoe: 1 }, true, () => [400, fault('HTTPBadRequest', "Unrecognized attribute(s) 'shoe'")]],
  ])('to %j is refused for what it is (with forwards: %s)', async (change, hasForwards, expected) => {
    if (hasForwards) await publish();
    expect(await put(change)).toEqual(expected());
  });

  test('is done only at the revision that it names', async () => {
    const { revision } = await publish();
    const [at, other] = [{ 'if-match': `revision_number=${revision}` }, { 'if-match': 'revision_number=99' }];
    expect((await put({}, at))[0]).toBe(200);
    const message = `Constrained to 99, but current revision is ${revision}`;
    expect(await put({}, other)).toEqual([412, fault('RevisionNumberConstraintFailed', message)]);
  });
});

describe('tags of a gateway', () => {
  test('are none without a Neutron, and can be read and replaced by none', async () => {
    const path = `floatingips/${bench.floatingIp}/tags`;
    expect((await bench.ask('GET', path)).body).toEqual({ tags: [] });
    expect(await bench.ask('PUT', path, { body: { tags: [] } })).toMatchObject({ status: 200, body: { tags: [] } });
    expect((await bench.ask('PUT', path, { body: { tags: ['a'] } })).status).toBe(409);
    expect((await bench.ask('GET', 'floatingips/none/tags')).status).toBe(404);
  });

  test('are those of its router in front of Neutron, by which it is found', async () => {
    await using front: UpstreamBench = await openUpstreamBench();
    const [router] = front.neutron.things.routers;
    if (router !== undefined) front.neutron.things.routers = [{ ...router, tags: ['blue', 'old'] }];
    const found = async (query: string) =>
      (await front.api.inject(`/v2.0/floatingips?${query}`))
        .json()
        .floatingips.map(({ tags }: { tags: unknown }) => tags);
    const shown = [['blue', 'old']];
    for (const query of [
      '',
      'tags=blue',
      'tags=old,blue',
      'tags-any=new,old',
      'not-tags=blue,new',
      'not-tags-any=new',
    ]) {
      expect([query, await found(query)]).toEqual([query, shown]);
    }
    for (const query of ['tags=new', 'tags=blue,new', 'tags-any=new', 'not-tags=blue,old', 'not-tags-any=old']) {
      expect([query, await found(query)]).toEqual([query, []]);
    }
    const { id } = (await front.api.inject('/v2.0/floatingips')).json().floatingips[0];
    front.neutron.answer = { status: 200, body: '{"tags": ["new"]}' };
    front.neutron.asked.length = 0;
    // The router has to be known.
    front.neutron.answer = null;
    await front.api.inject(`/v2.0/floatingips/${id}`);
    const answer = await front.api.inject({
      method: 'PUT',
      url: `/v2.0/floatingips/${id}/tags`,
      payload: { tags: ['new'] },
    });
    expect(answer.statusCode).toBe(200);
    expect(front.neutron.asked.at(-1)).toBe(`PUT /v2.0/routers/${ROUTER}/tags`);
    await front.api.inject({ method: 'DELETE', url: `/v2.0/floatingips/${id}/tags/a%20b.json` });
    expect(front.neutron.asked.at(-1)).toBe(`DELETE /v2.0/routers/${ROUTER}/tags/a%20b`);
  });
});
