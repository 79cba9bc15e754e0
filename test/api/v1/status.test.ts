import { expect, test } from 'vitest';
import { printTime } from '../../../src/model/time.ts';
import { setClockForward } from '../../support/clock.ts';
import { OTHER_ROUTER, openBench, publish, ROUTER, report, STARTED_AT, wish } from '../api-under-test.ts';

test('GET /v1/status counts forwards by state', async () => {
  await using bench = await openBench();
  const { registry, api } = bench;
  const add = async (differences: Readonly<Record<string, unknown>>) =>
    (await api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish(differences) })).json().id;
  await add({ external_port: 1 });
  await add({ external_port: 2, enabled: false });
  await add({ external_port: 3, router: 'absent' });
  const broken = await add({ external_port: 4 });
  await publish(
    registry,
    report(registry.forwards.revision(), { problems: { [broken]: { state: 'error', message: 'x' } } }),
  );
  await add({ external_port: 5 });
  const expires_at = printTime(Date.now() + 60_000);
  await add({ external_port: 6, router: 'absent', expires_at });
  setClockForward(60_000);
  expect((await api.inject('/v1/status')).json()).toEqual({
    version: '0.1.0',
    node: 'n1',
    roles: ['api', 'agent'],
    started_at: STARTED_AT,
    store: 'sqlite:store.db',
    store_trouble: null,
    orphaned: { forwards: 0, routers: 0 },
    driver: 'libnftables',
    revision: registry.forwards.revision(),
    listing_revision: registry.listingRevision(),
    routers: 1,
    forwards: { total: 6, active: 1, pending: 1, waiting: 1, disabled: 1, expired: 1, error: 1 },
    forwards_with_warnings: 0,
    forwards_in_error: [{ id: broken, name: null, router: ROUTER, message: 'x' }],
    routers_in_error: [],
    connection_tracking: null,
  });
});

test('it names what is in error: routers as a whole, else the first forwards', async () => {
  await using bench = await openBench();
  const { registry, api } = bench;
  const ids: string[] = [];
  for (const router of [ROUTER, OTHER_ROUTER]) {
    for (let port = 1; port <= 7; port++) {
      const payload = wish({ router, external_port: port, ...(port === 1 && { name: `first-${router}` }) });
      ids.push((await api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload })).json().id);
    }
  }
  const problems = Object.fromEntries(ids.map((id) => [id, { state: 'error', message: `not ${id}` } as const]));
  await publish(
    registry,
    report(100, { error: 'another program has changed our table', problems }),
    report(100, { router: OTHER_ROUTER, problems }),
  );
  const { forwards, forwards_in_error, routers_in_error } = (await api.inject('/v1/status')).json();
  expect(forwards).toMatchObject({ total: 14, error: 14 });
  expect(routers_in_error).toEqual([{ router: ROUTER, node: 'n1', message: 'another program has changed our table' }]);
  expect(forwards_in_error).toEqual(
    ids.slice(7, 12).map((id, index) => {
      const name = index === 0 ? `first-${OTHER_ROUTER}` : null;
      return { id, name, router: OTHER_ROUTER, message: `not ${id}` };
    }),
  );
});

test('it tells how full connection tracking is', async () => {
  const usage = [
    { router: ROUTER, entries: 3, limit: 1000 },
    { router: OTHER_ROUTER, entries: 40, limit: 1000 },
  ];
  await using bench = await openBench({ flowUsage: async () => usage });
  expect((await bench.api.inject('/v1/status')).json().connection_tracking).toEqual({
    entries: 43,
    limit: 1000,
    fullest: { router: OTHER_ROUTER, entries: 40 },
  });
});

test('GET /healthz', async () => {
  await using bench = await openBench();
  expect((await bench.api.inject('/healthz')).json()).toEqual({ status: 'ok' });
});
