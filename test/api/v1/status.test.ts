import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { printTime } from '../../../src/model/time.ts';
import { openBench, publish, report, STARTED_AT, wish } from '../api-under-test.ts';

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
  const expires_at = printTime(Date.now() + 500);
  await add({ external_port: 6, router: 'absent', expires_at });
  while (printTime(Date.now()) < expires_at) await sleep(10);
  expect((await api.inject('/v1/status')).json()).toEqual({
    version: '0.1.0',
    node: 'n1',
    roles: ['api', 'agent'],
    started_at: STARTED_AT,
    store: 'sqlite:store.db',
    driver: 'libnftables',
    revision: registry.forwards.revision(),
    routers: 1,
    forwards: { total: 6, active: 1, pending: 1, waiting: 1, disabled: 1, expired: 1, error: 1 },
  });
});

test('GET /healthz', async () => {
  await using bench = await openBench();
  expect((await bench.api.inject('/healthz')).json()).toEqual({ status: 'ok' });
});
