import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
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

/** Ways to write a path that Neutron takes for the same. */
const SUFFIXES = ['', '.json', '/', '.json/', '%2Ejson'];

describe.each(SUFFIXES)('a path that ends in %j', (suffix) => {
  test('takes forwards along with a port, and is passed on as it is', async () => {
    await using bench = await openUpstreamBench();
    await publish(bench);
    bench.neutron.asked.length = 0;
    await bench.api.inject({ method: 'DELETE', url: `/v2.0/ports/${PORT}${suffix}` });
    expect(bench.registry.forwards.list()).toEqual([]);
    expect(bench.neutron.asked).toEqual([`DELETE /v2.0/ports/${PORT}${suffix}`]);
  });

  test('keeps an interface that a forward needs', async () => {
    await using bench = await openUpstreamBench();
    await publish(bench);
    const url = `/v2.0//routers/${ROUTER}/remove_router_interface${suffix}`;
    const answer = await bench.api.inject({ method: 'PUT', url, payload: { subnet_id: 's1' } });
    expect(answer.json().NeutronError.type).toBe('RouterInterfaceInUseByFloatingIP');
  });

  test('has gateways among the floating IPs, and each by its id', async () => {
    await using bench = await openUpstreamBench();
    const listed = await bench.api.inject(`/v2.0/floatingips${suffix}?router_id=${ROUTER}`);
    const [gateway] = listed.json().floatingips;
    const shown = await bench.api.inject(`/v2.0/floatingips/${gateway.id}${suffix}`);
    expect([shown.json().floatingip.id, listed.json().floatingips.length]).toEqual([gateway.id, 1]);
    const extension = `/v2.0/extensions/floating-ip-port-forwarding${suffix}`;
    expect((await bench.api.inject(extension)).statusCode).toBe(200);
  });
});
