import { expect, test } from 'vitest';
import { OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

const TRAFFIC = { connections: 3, in: { packets: 42, bytes: 5123 }, out: { packets: 40, bytes: 8121 } };

test('of one forward, of one router, of all', async () => {
  const asked: unknown[] = [];
  await using bench = await openBench({
    counters: async (router, forward) => {
      asked.push([router, forward]);
      return router === ROUTER ? [{ forward: forward ?? 'f', ...TRAFFIC, lastUsed: Date.UTC(2026, 0, 2) }] : [];
    },
  });
  await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
  const { id } = (
    await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', body: wish({ name: 'ssh' }) })
  ).json();
  const answer = await bench.api.inject('/v1/counters?forward=ssh');
  expect(answer.json()).toEqual({
    counters: [
      {
        forward: id,
        router: ROUTER,
        node: 'n1',
        connections: 3,
        packets_in: 42,
        bytes_in: 5123,
        packets_out: 40,
        bytes_out: 8121,
        last_used: '2026-01-02T00:00:00.000Z',
        live: null,
      },
    ],
  });
  expect((await bench.api.inject(`/v1/counters?router=${OTHER_ROUTER}`)).json()).toEqual({ counters: [] });
  expect((await bench.api.inject('/v1/counters')).json().counters).toHaveLength(1);
  expect(asked).toEqual([
    [ROUTER, id],
    [OTHER_ROUTER, null],
    [ROUTER, null],
    [OTHER_ROUTER, null],
  ]);
});

test('what is not counted is null', async () => {
  await using bench = await openBench({
    counters: async () => [{ forward: 'f', connections: 1, in: null, out: null, lastUsed: null }],
  });
  const { counters } = (await bench.api.inject(`/v1/counters?router=${ROUTER}`)).json();
  expect(counters).toMatchObject([
    { packets_in: null, bytes_in: null, packets_out: null, bytes_out: null, last_used: null },
  ]);
});

test('live flows are counted only where they are asked for', async () => {
  const asked: unknown[] = [];
  await using bench = await openBench({
    counters: async () =>
      ['f', 'g'].map((forward) => ({ forward, connections: 9, in: null, out: null, lastUsed: null })),
    liveFlows: async (router, forward) => {
      asked.push([router, forward]);
      return new Map([['f', 7]]);
    },
  });
  const lives = async (query: string) =>
    (await bench.api.inject(`/v1/counters?router=${ROUTER}${query}`))
      .json()
      .counters.map(({ live }: { live: unknown }) => live);
  expect([await lives(''), await lives('&live=false'), asked]).toEqual([[null, null], [null, null], []]);
  expect([await lives('&live=true'), asked]).toEqual([[7, 0], [[ROUTER, null]]]);
});

test.each([
  ['live=1', 400, 'request_malformed'],
  ['forward=nobody', 404, 'forward_not_found'],
  ['router=a/b', 400, 'router_malformed'],
  ['other=1', 400, 'request_malformed'],
])('?%s: %i %s', async (query, status, code) => {
  await using bench = await openBench();
  expect((await bench.api.inject(`/v1/counters?${query}`)).json()).toMatchObject({ status, code });
});
