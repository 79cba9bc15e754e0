import { expect, test } from 'vitest';
import { createObservations } from '../../src/api/metrics/observations.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { spec } from '../registry/specs.ts';
import { type Bench, OTHER_ROUTER, openBench, publish, ROUTER, report } from './api-under-test.ts';

/** Samples by what stands before their value; the text is of Prometheus' version 0.0.4. */
async function scrape({ api }: Bench): Promise<ReadonlyMap<string, number>> {
  const answer = await api.inject('/metrics');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
  const lines = answer.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test('forwards by state, routers, and who is behind', async () => {
  await using bench = await openBench();
  const { registry } = bench;
  await registry.forwards.create(spec({ router: ROUTER }));
  await publish(registry, report(registry.forwards.revision(), { instances: ['a', 'b'] }));
  await registry.forwards.create(spec({ router: ROUTER, external_port: 5002 }));
  await registry.forwards.create(spec({ router: OTHER_ROUTER, enabled: false }));
  await publish(registry, report(0, { router: OTHER_ROUTER, error: 'no' }));
  const samples = await scrape(bench);
  expect(samples.get('hatoba_build_info{version="0.1.0",node="n1",driver="libnftables"}')).toBe(1);
  expect(samples.get('hatoba_forwards{state="active"}')).toBe(1);
  expect(samples.get('hatoba_forwards{state="pending"}')).toBe(1);
  expect(samples.get('hatoba_forwards{state="error"}')).toBe(1);
  expect(samples.get('hatoba_forwards{state="disabled"}')).toBe(0);
  expect(samples.get('hatoba_routers')).toBe(2);
  expect(samples.get('hatoba_instances')).toBe(3);
  expect(samples.get('hatoba_routers_in_error')).toBe(1);
  expect(samples.get('hatoba_routers_behind')).toBe(2);
  expect(samples.get('hatoba_store_revision')).toBe(registry.forwards.revision());
});

test('what has happened, before there was somebody to count, too', async () => {
  const observations = createObservations();
  observations.note({ kind: 'pass', seconds: 0.002 });
  observations.note({ kind: 'repair', corrections: 3 });
  await using bench = await openBench({ observations });
  observations.note({ kind: 'pass', seconds: 2 });
  observations.note({ kind: 'failure' });
  observations.note({ kind: 'commit', seconds: 0.004, failed: true });
  const samples = await scrape(bench);
  expect(samples.get('hatoba_apply_seconds_count')).toBe(2);
  expect(samples.get('hatoba_apply_seconds_bucket{le="0.0025"}')).toBe(1);
  expect(samples.get('hatoba_apply_failures_total')).toBe(1);
  expect(samples.get('hatoba_drift_repaired_total')).toBe(3);
  expect(samples.get('hatoba_store_commit_seconds_count{result="failed"}')).toBe(1);
});

test('requests by route, not by what is in their paths', async () => {
  await using bench = await openBench();
  for (const path of ['/v1/forwards/one', '/v1/forwards/two', '/nothing/here', '/nothing/there'])
    await bench.api.inject(path);
  const samples = await scrape(bench);
  const counted = (route: string) =>
    samples.get(`hatoba_api_request_seconds_count{method="GET",route="${route}",status="404"}`);
  expect(counted('/v1/forwards/:reference')).toBe(2);
  expect(counted('none')).toBe(2);
});

test('so many forwards as are wanted, the oldest, under names that need quoting', async () => {
  const traffic = { packets: 5, bytes: 500 };
  const ids: string[] = [];
  await using bench = await openBench({
    forwardMetrics: 2,
    counters: async () =>
      ids.map((forward, at) => ({ forward, connections: at + 1, in: traffic, out: null, lastUsed: null })),
  });
  for (const port of [1, 2, 3]) {
    const { id } = await bench.registry.forwards.create(
      spec({ router: ROUTER, external_port: port, name: `f${port}` }),
    );
    ids.push(id);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const times of [1, 2]) {
    const samples = await scrape(bench);
    const told = [...samples.keys()].filter((name) => name.startsWith('hatoba_forward_connections_total'));
    expect(told, `scrape ${times}`).toHaveLength(2);
    const labels = `forward="${ids[1]}",name="f2",router="${ROUTER}"`;
    expect(samples.get(`hatoba_forward_connections_total{${labels}}`)).toBe(2);
    expect(samples.get(`hatoba_forward_bytes_total{${labels},direction="in"}`)).toBe(500);
    expect(samples.get(`hatoba_forward_bytes_total{${labels},direction="out"}`)).toBeUndefined();
    expect(samples.get('hatoba_forward_metrics_omitted')).toBe(1);
  }
});

test('a router that cannot be read is left out and counted, and hides no other', async () => {
  const ids = new Map<string, string>();
  await using bench = await openBench({
    forwardMetrics: 10,
    counters: async (router) => {
      if (router === ROUTER) throw hatobaError('kernel_refused', { namespace: 'edge', reason: 'no table nat' });
      return [{ forward: ids.get(router) ?? '', connections: 7, in: null, out: null, lastUsed: null }];
    },
  });
  for (const router of [ROUTER, OTHER_ROUTER]) {
    ids.set(router, (await bench.registry.forwards.create(spec({ router }))).id);
  }
  const samples = await scrape(bench);
  const told = [...samples].filter(([name]) => name.startsWith('hatoba_forward_connections_total'));
  expect(told.map(([, value]) => value)).toEqual([7]);
  expect(samples.get('hatoba_forward_metrics_unread_total')).toBe(1);
});

test('the process', async () => {
  await using bench = await openBench();
  const samples = await scrape(bench);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(samples.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1000);
});

test.each([
  ['is ready', async () => undefined, 200, /"ready"/],
  ['is not, and says why', () => Promise.reject(new Error('the kernel thread has ended')), 503, /thread has ended/],
  ['is not where nothing answers', () => new Promise<void>(() => undefined), 503, /nothing answers for 2000 ms/],
])('a daemon %s', async (_, ready, status, text) => {
  await using bench = await openBench({ ready });
  const answer = await bench.api.inject('/readyz');
  expect(answer.statusCode).toBe(status);
  expect(answer.body).toMatch(text);
  expect((await bench.api.inject('/healthz')).statusCode).toBe(200);
});
