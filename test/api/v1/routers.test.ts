import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

test('routers of nodes and routers that only forwards name', async () => {
  await using bench = await openBench();
  const { registry, api } = bench;
  const gateways = { 4: parseAddress('192.168.1.100'), 6: parseAddress('2001:db8::1') };
  await publish(registry, report(7, { gateways }));
  await publish(registry, report(5, { node: 'n2', gateways: {}, error: 'no nft', instances: ['a', 'b'] }));
  for (const payload of [wish(), wish({ external_port: 2 }), wish({ router: 'absent' })]) {
    await api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload });
  }
  const shown = {
    id: ROUTER,
    gateways: ['192.168.1.100', '2001:db8::1'],
    forwards: 2,
    nodes: [
      {
        node: 'n1',
        instances: [`qrouter-${ROUTER}`],
        gateways: ['192.168.1.100', '2001:db8::1'],
        revision: 7,
        at: '2026-01-02T03:04:06.000Z',
        error: null,
        problems: 0,
      },
      {
        node: 'n2',
        instances: ['a', 'b'],
        gateways: [],
        revision: 5,
        at: expect.any(String),
        error: 'no nft',
        problems: 0,
      },
    ],
  };
  const absent = { id: 'absent', gateways: [], forwards: 1, nodes: [] };
  expect((await api.inject('/v1/routers')).json()).toEqual({
    routers: [shown, absent],
    revision: registry.forwards.revision(),
  });
  expect((await api.inject('/v1/routers/absent')).json()).toEqual(absent);
  for (const reference of [ROUTER, ROUTER.toUpperCase(), `qrouter-${ROUTER}`, `snat-${ROUTER}`, '9a8b']) {
    expect((await api.inject(`/v1/routers/${reference}`)).json()).toEqual(shown);
  }
});

test.for([
  ['nobody', 404, 'router_not_found'],
  ['9a8b', 409, 'router_ambiguous'],
  ['..%2Fx', 400, 'router_malformed'],
] as const)('%s: %i %s', async ([reference, status, code]) => {
  await using bench = await openBench();
  await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
  expect((await bench.api.inject(`/v1/routers/${reference}`)).json()).toMatchObject({ status, code });
});
