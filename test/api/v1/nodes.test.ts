import { expect, test } from 'vitest';
import { OTHER_ROUTER, openBench, publish, report, STARTED_AT } from '../api-under-test.ts';

const SELF = {
  name: 'n1',
  answers: true,
  version: '0.1.0',
  roles: ['api', 'agent'],
  driver: 'libnftables',
  started_at: STARTED_AT,
};
const OTHER = { answers: false, version: null, roles: null, driver: null, started_at: null };

test('the node that answers is listed also where it has no router', async () => {
  await using bench = await openBench();
  const nothing = { routers: 0, routers_in_error: 0, problems: 0, last_told: null };
  expect((await bench.api.inject('/v1/nodes')).json()).toEqual({ nodes: [{ ...SELF, ...nothing }], revision: 0 });
});

test('others are known by what they told, however long ago', async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const problem = { state: 'error', message: 'no' } as const;
  await publish(registry, report(3), report(3, { router: OTHER_ROUTER, at: '2026-01-02T03:04:07.000Z', error: 'no' }));
  const old = { node: 'n0', at: '2020-01-01T00:00:00.000Z', problems: { a: problem, b: problem } };
  await publish(registry, report(1, old));
  expect((await bench.api.inject('/v1/nodes')).json()).toEqual({
    nodes: [
      { ...OTHER, name: 'n0', routers: 1, routers_in_error: 0, problems: 2, last_told: '2020-01-01T00:00:00.000Z' },
      { ...SELF, routers: 2, routers_in_error: 1, problems: 0, last_told: '2026-01-02T03:04:07.000Z' },
    ],
    revision: registry.forwards.revision(),
  });
});
