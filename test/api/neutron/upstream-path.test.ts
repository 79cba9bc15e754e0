import { expect, test } from 'vitest';
import { createRouterOwners } from '../../../src/api/neutron/upstream/router-owners.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { openBench } from '../api-under-test.ts';
import { openNeutronStandIn } from './neutron-stand-in.ts';

test('what a Neutron behind a path links to is served, with and without that path', async () => {
  await using neutron = await openNeutronStandIn();
  await using bench = await openBench({
    neutron: {
      upstream: {
        upstream: createUpstream(new URL('/networking/', neutron.url)),
        owners: createRouterOwners(),
        account: async () => ({ credentials: [], seesAll: true }),
        sweepInterval: 3_600_000,
      },
    },
  });
  neutron.answer = { status: 200, body: '{"floatingips": [], "routers": []}' };
  for (const path of ['/', '/v2.0/networks', '/v2.0/networks/', '/v2.0/floatingips']) {
    neutron.asked.length = 0;
    for (const url of [path, `/networking${path}`]) {
      expect([url, (await bench.api.inject({ url })).statusCode]).toEqual([url, 200]);
    }
    expect(new Set(neutron.asked.filter((one) => !one.endsWith('/routers')))).toEqual(
      new Set([`GET /networking${path}`]),
    );
  }
});
