import { expect, test } from 'vitest';
import { openGatewayBench, pick, textAt } from './gateway-under-test.ts';

const ADDRESS = '192.168.50.11';

/** As Horizon reads the ports of a port forwarding (openstack_dashboard/api/neutron.py, `PortForwarding`). */
function portsInHorizon(document: unknown, key: string): string {
  const { [key]: range = '' }: Readonly<Record<string, unknown>> = { ...Object(document) };
  const numbers = [...new Set(String(range).split(':'))].map((text) => {
    if (!/^\d+$/.test(text)) throw new Error(`invalid literal for int(): '${text}'`);
    return Number(text);
  });
  return numbers.sort((a, b) => a - b).join(':');
}

test.each<[object, string, string]>([
  [{ external_port: 2222, internal_port: 22 }, '2222', '22'],
  [{ external_port_range: '2222:2222', internal_port_range: '22' }, '2222', '22'],
  [{ external_port_range: '3000:3009', internal_port_range: '4000:4009' }, '3000:3009', '4000:4009'],
  [{ external_port_range: '3000:3009', internal_port: 80 }, '3000:3009', '80'],
  [{ external_port_range: '3000:3009', internal_port_range: '80:80' }, '3000:3009', '80'],
])(
  '%j is read by Horizon, listed, shown, made and changed, as it is configured by default',
  async (ports, external, internal) => {
    await using bench = await openGatewayBench();
    const base = {
      protocol: 'tcp',
      internal_ip_address: ADDRESS,
      internal_port_id: await bench.portOf(ADDRESS),
    };
    const made = await bench.ask('POST', bench.path(), { body: { port_forwarding: { ...base, ...ports } } });
    const id = textAt(made.body, 'port_forwarding', 'id');
    const change = { body: { port_forwarding: { description: 'new' } } };
    for (const document of [
      pick(made.body, 'port_forwarding'),
      pick((await bench.ask('GET', bench.path())).body, 'port_forwardings', 0),
      pick((await bench.ask('GET', bench.path(id))).body, 'port_forwarding'),
      pick((await bench.ask('PUT', bench.path(id), change)).body, 'port_forwarding'),
    ]) {
      expect(portsInHorizon(document, 'external_port_range')).toBe(external);
      expect(portsInHorizon(document, 'internal_port_range')).toBe(internal);
    }
  },
);

test('single ports are without ranges where it is configured so', async () => {
  await using bench = await openGatewayBench({ neutron: { singlePortRanges: false } });
  const fields = { protocol: 'tcp', internal_ip_address: ADDRESS, internal_port_id: await bench.portOf(ADDRESS) };
  const body = { port_forwarding: { ...fields, external_port: 2222, internal_port: 22 } };
  const made = await bench.ask('POST', bench.path(), { body });
  expect(Object.keys(Object(pick(made.body, 'port_forwarding'))).filter((key) => key.endsWith('_range'))).toEqual([]);
});

test('filters are judged as Neutron judges them', async () => {
  await using bench = await openGatewayBench();
  const fields = { protocol: 'tcp', internal_ip_address: ADDRESS, internal_port_id: await bench.portOf(ADDRESS) };
  const body = { port_forwarding: { ...fields, external_port_range: '3000:3001', internal_port: 22 } };
  expect((await bench.ask('POST', bench.path(), { body })).status).toBe(201);
  const ask = async (query: string) => {
    const answer = await bench.ask('GET', `${bench.path()}?${query}`);
    return answer.status === 200 ? [200, Object(pick(answer.body, 'port_forwardings')).length] : [answer.status, 0];
  };
  for (const [query, expected] of [
    ['protocol=', [400, 0]],
    ['protocol=tcp&protocol=', [400, 0]],
    ['protocol=foo', [400, 0]],
    ['protocol=TCP', [200, 0]],
    ['protocol=6', [200, 0]],
    ['protocol=icmp', [200, 0]],
    ['protocol=tcp', [200, 1]],
    ['external_port=', [200, 0]],
    ['internal_port_id=', [200, 0]],
    ['id=', [200, 0]],
    ['description=', [200, 1]],
  ] as const) {
    expect([query, await ask(query)]).toEqual([query, expected]);
  }
});

test('a change or deletion of a forward is done only at the revision that it names', async () => {
  await using bench = await openGatewayBench();
  const fields = { protocol: 'tcp', internal_ip_address: ADDRESS, internal_port_id: await bench.portOf(ADDRESS) };
  const body = { port_forwarding: { ...fields, external_port: 2222, internal_port: 22 } };
  const id = textAt((await bench.ask('POST', bench.path(), { body })).body, 'port_forwarding', 'id');
  const revision = () => bench.registry.forwards.get(id)?.revision;
  const change = { port_forwarding: { external_port: 2223 } };
  for (const method of ['PUT', 'DELETE'] as const) {
    const ask = (match: string) =>
      bench.ask(method, bench.path(id), {
        headers: { 'if-match': match },
        ...(method === 'PUT' ? { body: change } : {}),
      });
    expect(await ask('revision_number=99')).toMatchObject({
      status: 412,
      body: {
        NeutronError: {
          type: 'RevisionNumberConstraintFailed',
          message: `Constrained to 99, but current revision is ${revision()}`,
        },
      },
    });
    expect((await ask('revision_number=x')).status).toBe(400);
    expect((await ask('revision_number=')).status).toBe(400);
    expect(bench.registry.forwards.get(id)?.externalPorts.first).toBe(method === 'PUT' ? 2222 : 2223);
    expect((await ask(`revision_number=${revision()}`)).status).toBe(method === 'PUT' ? 200 : 204);
  }
});
