import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRateLimiter, type RateLimiter } from '../../../src/api/access/rate-limiter.ts';
import { createRouterOwners } from '../../../src/api/neutron/upstream/router-owners.ts';
import { hatobaError } from '../../../src/model/errors.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { type Bench, openBench, ROUTER } from '../api-under-test.ts';
import { type NeutronStandIn, openNeutronStandIn } from './neutron-stand-in.ts';

const FLOATING_IP = { id: 'f1', floating_ip_address: '198.51.100.7', port_id: 'p1' };

/** Whom tokens belong to, for hatoba; Neutron knows them all. */
const REFUSALS = {
  service: hatobaError('roles_useless', { user: 'nova', roles: 'service', needed: 'member' }),
  domain: hatobaError('token_unscoped', { user: 'ada' }),
  expired: hatobaError('not_authenticated', { reason: 'there is no such token, or it was revoked' }),
  unchecked: hatobaError('authentication_unavailable', { reason: 'Keystone does not answer' }),
} as const;

let neutron: NeutronStandIn;
let bench: Bench;
let asked = 0;
let limiter: RateLimiter;

beforeEach(async () => {
  asked = 0;
  limiter = createRateLimiter({ perSecond: 0.001, burst: 3 });
  neutron = await openNeutronStandIn();
  const outside = { network_id: 'n0', external_fixed_ips: [{ subnet_id: 's0', ip_address: '192.0.2.1' }] };
  neutron.things.routers = [{ id: ROUTER, project_id: 'blue', external_gateway_info: outside }];
  neutron.things.floatingips = [FLOATING_IP];
  neutron.things.extensions = [{ id: 'e1', alias: 'router' }];
  bench = await openBench({
    authenticate: async ({ headers }) => {
      asked++;
      const refusal = new Map(Object.entries(REFUSALS)).get(String(headers['x-auth-token']));
      if (refusal !== undefined) throw refusal;
      return { name: 'ada', role: 'member', project: 'blue', allProjects: false };
    },
    admit: (caller) => {
      const wait = limiter.take(caller?.name ?? 'somebody');
      const what = { what: 'somebody asks', limit: 1, seconds: 1 };
      if (wait > 0) throw hatobaError('too_many_requests', what, { retryAfter: 1 });
    },
    neutron: {
      upstream: {
        upstream: createUpstream(neutron.url),
        owners: createRouterOwners(),
        account: async () => ({ credentials: [], seesAll: true }),
        sweepInterval: 3_600_000,
      },
    },
  });
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await neutron[Symbol.asyncDispose]();
});

async function get(url: string, token: string) {
  const answer = await bench.api.inject({ url, headers: { 'x-auth-token': token, 'x-service-token': 'nova' } });
  return { status: answer.statusCode, body: answer.json() };
}

describe.each(['service', 'domain', 'expired'])('who has a token that gives no right here (%s)', (token) => {
  test('sees the floating IPs that Neutron shows', async () => {
    expect(await get('/v2.0/floatingips', token)).toEqual({ status: 200, body: { floatingips: [FLOATING_IP] } });
    expect(neutron.asked).toEqual(['GET /v2.0/floatingips']);
  });

  test('is told which extensions there are', async () => {
    const { status, body } = await get('/v2.0/extensions', token);
    expect(status).toBe(200);
    expect(body.extensions).toContainEqual({ id: 'e1', alias: 'router' });
    expect((await get('/v2.0/extensions/floating-ip-port-forwarding', token)).status).toBe(200);
    expect(neutron.tokens).toEqual([`${token} nova`, `${token} nova`]);
  });

  test('is refused at a gateway, which Neutron does not know', async () => {
    const { body } = await get('/v2.0/floatingips', 'ada');
    const gateway = body.floatingips.find(
      ({ floating_ip_address: address }: typeof FLOATING_IP) => address === '192.0.2.1',
    );
    expect((await get(`/v2.0/floatingips/${gateway.id}`, 'ada')).status).toBe(200);
    expect((await get(`/v2.0/floatingips/${gateway.id}`, token)).status).toBe(token === 'expired' ? 401 : 403);
  });
});

test('the floating IP of a port is asked of Neutron alone', async () => {
  for (const token of ['ada', 'service', 'unchecked']) {
    expect(await get('/v2.0/floatingips?port_id=p1', token)).toEqual({
      status: 200,
      body: { floatingips: [FLOATING_IP] },
    });
  }
  expect([asked, neutron.asked]).toEqual([0, Array(3).fill('GET /v2.0/floatingips')]);
});

test('where nobody can say who asks, no list is given that may lack the gateways', async () => {
  expect((await get('/v2.0/floatingips', 'unchecked')).status).toBe(503);
  expect((await get('/v2.0/floatingips', 'ada')).body.floatingips).toHaveLength(2);
});

test('what Neutron answers alone is limited by Neutron alone', async () => {
  for (const url of ['/', '/v2.0/networks', '/v2.0/floatingips', '/v2.0/floatingips?port_id=p1', '/v2.0/extensions']) {
    for (let n = 0; n < 5; n++) expect([url, (await get(url, 'service')).status]).not.toEqual([url, 429]);
  }
});

test('who is known has as many lists with gateways as of anything else here', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => get('/v2.0/floatingips', 'ada')));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429]);
  const answer = await bench.api.inject({ url: '/v2.0/floatingips', headers: { 'x-auth-token': 'ada' } });
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1']);
});
