import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { publish, ROUTER, report } from '../api-under-test.ts';
import { type GatewayBench, openGatewayBench, pick, textAt } from './gateway-under-test.ts';

const ADDRESS = '10.0.0.1';

let bench: GatewayBench;

beforeEach(async () => {
  bench = await openGatewayBench();
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function addresses(query: string): Promise<unknown> {
  const { body } = await bench.ask('GET', `ports?${query}`);
  const ports = pick(body, 'ports');
  return Array.isArray(ports) ? ports.map((port) => pick(port, 'fixed_ips', 0, 'ip_address')) : body;
}

test.each([
  [`name=${ADDRESS}&fixed_ips=ip_address=${ADDRESS}`],
  [`name=${ADDRESS}&name=${ADDRESS}`],
  [`fixed_ips=ip_address=${ADDRESS}&fixed_ips=ip_address=${ADDRESS}`],
])('a port is listed once: %s', async (query) => {
  expect(await addresses(query)).toEqual([ADDRESS]);
});

test('ports are listed by their subnet', async () => {
  await bench.registry.forwards.create(
    parseForwardSpec({ router: ROUTER, external_port: 1, internal_address: ADDRESS }),
  );
  const subnet = textAt((await bench.ask('GET', 'ports')).body, 'ports', 0, 'fixed_ips', 0, 'subnet_id');
  expect(await addresses(`fixed_ips=subnet_id=${subnet}`)).toEqual([ADDRESS]);
  expect(await addresses('fixed_ips=subnet_id=nope')).toEqual([]);
});

test('ports of a network are those behind its router, and can be used', async () => {
  await publish(bench.registry, report(0), report(0, { router: 'edge' }));
  const { body } = await bench.ask('GET', 'networks?name=inside%20edge');
  const network = textAt(body, 'networks', 0, 'id');
  const found = await bench.ask('GET', `ports?network_id=${network}&name=${ADDRESS}&name=10.0.0.2`);
  expect(pick(found.body, 'ports')).toMatchObject([{ network_id: network }, { network_id: network }]);
  const id = textAt(found.body, 'ports', 0, 'id');
  expect((await bench.ask('GET', `ports/${id}`)).status).toBe(200);
  expect(await addresses(`network_id=nope&name=${ADDRESS}`)).toEqual([]);
});

test('no more than a hundred can be asked for at once', async () => {
  const query = (count: number) =>
    Array.from({ length: count }, (_, index) => `name=10.0.${index >> 8}.${index & 255}`).join('&');
  expect(await addresses(query(100))).toHaveLength(100);
  const { status, body } = await bench.ask('GET', `ports?network_id=x&${query(101)}`);
  expect([status, textAt(body, 'NeutronError', 'type')]).toEqual([400, 'HTTPBadRequest']);
});
