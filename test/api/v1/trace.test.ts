import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { type Bench, OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const PACKET = { source: '198.51.100.5', destination: '192.168.1.100', destination_port: 5001 };

async function trace(request: Readonly<Record<string, unknown>>) {
  const answer = await bench.api.inject({ method: 'POST', url: '/v1/trace', payload: request });
  return { status: answer.statusCode, body: answer.json() };
}

async function add(differences: Readonly<Record<string, unknown>> = {}) {
  return (await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish(differences) })).json();
}

test('the whole way of a packet that a forward takes', async () => {
  await publish(bench.registry, report(0));
  const { id, revision } = await add({ name: 'web', external_port: '5000-5009', internal_port: '8000-8009' });
  const forward = {
    id,
    name: 'web',
    protocol: 'tcp',
    external_address: '192.168.1.100',
    external_port: '5000-5009',
    internal_address: '192.168.50.11',
    internal_port: '8000-8009',
    sources: [],
    revision,
  };
  const on = { node: 'n1', at: '2026-01-02T03:04:06.000Z' };
  const expected = {
    router: ROUTER,
    gateways: ['192.168.1.100'],
    packet: { protocol: 'tcp', source_port: 40_000, ...PACKET },
    forward,
    another_project: false,
    misses: [],
    target: { address: '192.168.50.11', port: 8001, masquerade: 'same_interface' },
    reply: {
      protocol: 'tcp',
      source: '192.168.1.100',
      source_port: 5001,
      destination: '198.51.100.5',
      destination_port: 40_000,
    },
    nodes: [{ ...on, applied: false, revision: 0, message: 'the node has not applied it yet' }],
    live: null,
  };
  expect(await trace({ ...PACKET, source_port: '40000' })).toEqual({ status: 200, body: expected });
  await publish(bench.registry, report(revision));
  expect(await trace({ ...PACKET, source_port: 40_000, router: '9a8b', protocol: 'tcp' })).toEqual({
    status: 200,
    body: { ...expected, nodes: [{ ...on, applied: true, revision, message: null }] },
  });
});

test('a packet that no forward takes, and what keeps those that come near', async () => {
  await publish(bench.registry, report(1000));
  await add({ name: 'off', enabled: false });
  await add({ name: 'ours', protocol: 'udp', sources: ['203.0.113.0/24'] });
  const { body } = await trace(PACKET);
  expect(body).toMatchObject({
    packet: { source_port: null },
    forward: null,
    target: null,
    reply: null,
    misses: [
      { forward: { name: 'off' }, refusals: [{ reason: 'disabled', message: 'it is disabled' }] },
      {
        forward: { name: 'ours' },
        refusals: [
          { reason: 'source', message: '198.51.100.5 is not among its sources 203.0.113.0/24' },
          { reason: 'protocol', message: 'it is for udp' },
        ],
      },
    ],
    nodes: [{ node: 'n1', applied: true, revision: 1000, message: null }],
  });
});

test('a router that only forwards name: what follows its address waits, what names an address is in no kernel', async () => {
  await add({ router: 'absent' });
  await add({ router: 'absent', name: 'outright', external_address: '192.168.1.100', external_port: 5002 });
  expect((await trace(PACKET)).body).toMatchObject({
    router: 'absent',
    gateways: [],
    forward: null,
    misses: [
      { forward: { external_address: 'gateway' }, refusals: [{ reason: 'waiting' }] },
      { refusals: [{ reason: 'port', message: 'it is for port 5002' }] },
    ],
    nodes: [],
  });
  expect((await trace({ ...PACKET, destination_port: 5002 })).body).toMatchObject({
    forward: { name: 'outright' },
    nodes: [],
  });
  await publish(bench.registry, report(0, { gateways: {} }));
  expect((await trace(PACKET)).body, 'the only router that is there comes first').toMatchObject({ router: ROUTER });
});

test('by IPv6', async () => {
  const gateways = { 6: parseAddress('2001:db8::1') };
  await publish(bench.registry, report(0, { gateways }));
  await add({ internal_address: 'fd00::11' });
  const request = { source: '2001:DB8:7:0::5', destination: '2001:db8:0::1', destination_port: 5001 };
  expect((await trace(request)).body).toMatchObject({
    packet: { source: '2001:db8:7::5', destination: '2001:db8::1' },
    target: { address: 'fd00::11', port: 22 },
  });
});

test.for([
  ['a source of the other family', { source: '2001:db8::5' }, 400, 'packet_family_mismatch', 'source'],
  ['a source that is none', { source: 'client' }, 400, 'address_malformed', 'source'],
  ['a port of the source that is none', { source_port: 0 }, 400, 'port_out_of_range', 'source_port'],
  ['a destination that is none', { destination: '010.0.0.1' }, 400, 'address_leading_zero', 'destination'],
  ['a range', { destination_port: '5001-5002' }, 400, 'port_not_single', 'destination_port'],
  ['a fraction', { destination_port: 0.5 }, 400, 'port_malformed', 'destination_port'],
  ['no port', { destination_port: undefined }, 400, 'request_malformed', 'destination_port'],
  ['no source', { source: undefined }, 400, 'request_malformed', 'source'],
  ['a protocol without ports', { protocol: 'icmp' }, 400, 'protocol_unknown', 'protocol'],
  ['an unknown field', { sorce: 'x' }, 400, 'request_malformed', 'sorce'],
  ['a router that nobody knows', { router: 'nobody' }, 404, 'router_not_found', 'router'],
  ['a router that is none', { router: '../x' }, 400, 'router_malformed', 'router'],
  ['the beginning of two', { router: '9a8b' }, 409, 'router_ambiguous', 'router'],
  ['no router, of two', {}, 400, 'router_required', 'router'],
] as const)('%s: %s', async ([, differences, status, code, field]) => {
  await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
  expect(await trace({ ...PACKET, ...differences })).toMatchObject({ status, body: { code, field } });
});

test('no router at all', async () => {
  const { body } = await trace(PACKET);
  expect(body).toMatchObject({ code: 'router_required', field: 'router' });
  expect(body.detail).toContain('there are 0 routers');
});
