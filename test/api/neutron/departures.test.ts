import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ROUTER } from '../api-under-test.ts';
import { forwarding, openUpstreamBench, PORT, type UpstreamBench } from './upstream-under-test.ts';

async function publish({ api }: UpstreamBench): Promise<string> {
  const gateway = (await api.inject('/v2.0/floatingips')).json().floatingips[0].id;
  const url = `/v2.0/floatingips/${gateway}/port_forwardings`;
  return (await api.inject({ method: 'POST', url, payload: forwarding })).json().port_forwarding.id;
}

test.each([
  ['DELETE', `/v2.0/ports/${PORT}`],
  ['PUT', `/v2.0/ports/${PORT}`],
  ['DELETE', `/v2.0/routers/${ROUTER}`],
] as const)('what goes with %s %s has a line in the audit log', async (method, url) => {
  const lines: unknown[] = [];
  const log = pino({ level: 'info' }, { write: (text) => lines.push(JSON.parse(text).audit) });
  await using bench = await openUpstreamBench({ log });
  const id = await publish(bench);
  bench.neutron.things.ports = bench.neutron.things.ports.map((port) =>
    port.id === PORT ? { ...port, fixed_ips: [] } : port,
  );
  lines.length = 0;
  expect((await bench.api.inject({ method, url, remoteAddress: '192.0.2.7' })).statusCode).toBe(200);
  const gone = { ids: [id], count: 1, router: ROUTER, port: PORT, revision: 2 };
  const operation = `${method} ${url.replace(/[^/]*$/, ':id')}`;
  expect(lines).toEqual([
    { caller: null, project: null, from: '192.0.2.7', operation, parameters: { id: url.split('/').at(-1) }, ...gone },
  ]);
});
