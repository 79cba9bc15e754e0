import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRouterOwners } from '../../../src/api/neutron/upstream/router-owners.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { makeSecret } from '../../../src/registry/tokens/token-secret.ts';
import { type Bench, openBench } from '../api-under-test.ts';
import { type NeutronStandIn, openNeutronStandIn } from './neutron-stand-in.ts';

const SECRET = makeSecret();
const PATHS = [
  '/',
  '/v2.0/',
  '/v2.0/networks',
  '/v2.0/floatingips',
  '/v2.0/floatingips?port_id=p1',
  '/v2.0/extensions',
];

let neutron: NeutronStandIn;
let bench: Bench;

beforeEach(async () => {
  neutron = await openNeutronStandIn();
  bench = await openBench({
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

describe('a token of hatoba', () => {
  test.each(['x-auth-token', 'X-Service-Token'])('is refused where Neutron would be told it: %s', async (name) => {
    for (const url of PATHS) {
      const { statusCode, body, headers } = await bench.api.inject({ url, headers: { [name]: SECRET } });
      expect([url, statusCode, body.includes(SECRET)]).toEqual([url, 401, false]);
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    expect(neutron.asked).toEqual([]);
  });

  test('is refused also where it is said to be for the next hop alone', async () => {
    for (const url of PATHS) {
      const headers = { 'x-auth-token': SECRET, connection: 'close, X-Auth-Token' };
      expect([url, (await bench.api.inject({ url, headers })).statusCode]).toEqual([url, 401]);
    }
    expect(neutron.asked).toEqual([]);
  });

  test.each([
    ['authorization', `Bearer ${SECRET}`],
    ['authorization', `bearer   ${SECRET}`],
    ['authorization', SECRET],
    ['authorization', ` ${SECRET} `],
    ['authorization', `Token token="${SECRET}"`],
    ['authorization', `Basic ${Buffer.from(`user:${SECRET}`).toString('base64')}`],
    ['proxy-authorization', `Bearer ${SECRET}`],
    ['x-api-key', SECRET],
    ['x-subject-token', SECRET],
    ['cookie', `theme=dark; token=${SECRET}`],
  ])('that is for hatoba alone is not passed on: %s: %s', async (name, value) => {
    for (const url of PATHS) await bench.api.inject({ url, headers: { [name]: value, 'x-auth-token': 'theirs' } });
    expect(neutron.asked.length).toBeGreaterThanOrEqual(PATHS.length);
    expect(new Set(neutron.tokens)).toEqual(new Set(['theirs']));
    expect(JSON.stringify(neutron.headers)).not.toContain('hatoba_');
  });

  test.each(['Bearer ', 'Token '])('is refused where Neutron would be told it with a scheme: %s', async (scheme) => {
    const answer = await bench.api.inject({ url: '/v2.0/networks', headers: { 'x-auth-token': scheme + SECRET } });
    expect([answer.statusCode, neutron.asked]).toEqual([401, []]);
  });
});

test('what else is in Authorization, Neutron gets', async () => {
  await bench.api.inject({ url: '/v2.0/networks', headers: { authorization: 'Bearer theirs' } });
  expect(neutron.tokens).toEqual(['Bearer theirs']);
});
