import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/model/address.ts';
import { conflict } from '../../src/model/conflicts.ts';
import { type ForwardInput, type ForwardSpec, GATEWAY, parseForwardSpec } from '../../src/model/forward.ts';
import type { Gateways } from '../../src/model/router.ts';
import { crowdedGateways, outside } from './arbitraries.ts';

/** One packet of a universe with two routers, both families, few addresses, six ports and nine sources. */
interface Packet {
  readonly router: string;
  readonly protocol: string;
  readonly destination: string;
  readonly port: number;
  readonly source: bigint;
}

const SOURCE_NET = { 4: 0x0a000000n, 6: 0xfd00n << 112n };
const STRANGER = 255n;

const destinations = [
  ...['1', '2', '3'].flatMap((host) => [outside(4, host), outside(6, host)]),
  'gateway 4',
  'gateway 6',
];
const sources = [...Array.from({ length: 8 }, (_, number) => BigInt(number)), STRANGER];
const PACKETS: readonly Packet[] = ['r', 's'].flatMap((router) =>
  ['tcp', 'udp'].flatMap((protocol) =>
    destinations.flatMap((destination) =>
      [1, 2, 3, 4, 5, 6].flatMap((port) => sources.map((source) => ({ router, protocol, destination, port, source }))),
    ),
  ),
);

function meant(spec: ForwardSpec, gateways: Gateways, packet: Packet): boolean {
  const { family } = spec.internalAddress;
  const external =
    spec.externalAddress === GATEWAY ? (gateways[family]?.text ?? `gateway ${family}`) : spec.externalAddress.text;
  const source = SOURCE_NET[family] + packet.source;
  return (
    packet.router === spec.router &&
    packet.protocol === spec.protocol &&
    packet.destination === external &&
    spec.externalPorts.first <= packet.port &&
    packet.port <= spec.externalPorts.last &&
    (spec.sources.length === 0 || spec.sources.some(({ first, last }) => first <= source && source <= last))
  );
}

const source = (family: 4 | 6) =>
  fc.record({ value: fc.nat(7), bits: fc.nat(3) }).map(({ value, bits }) => {
    const base = addressOf(family, SOURCE_NET[family] + BigInt((value >> bits) << bits));
    return `${base.text}/${(family === 4 ? 32 : 128) - bits}`;
  });

const specIn = (family: 4 | 6) =>
  fc
    .record({
      router: fc.constantFrom('r', 'r', 'r', 's'),
      protocol: fc.constantFrom('tcp', 'tcp', 'udp'),
      external_address: fc.constantFrom('gateway', outside(family, '1')),
      first: fc.integer({ min: 1, max: 4 }),
      more: fc.nat(2),
      sources: fc.array(source(family), { maxLength: 2 }),
    })
    .map(({ first, more, ...rest }) => {
      const external_port = `${first}-${first + more}`;
      return parseForwardSpec({ ...rest, external_port, internal_address: family === 4 ? '192.168.50.1' : 'fd00::1' });
    });
const spec = fc.oneof(specIn(4), specIn(6));
const pair = fc.oneof(fc.tuple(specIn(4), specIn(4)), fc.tuple(specIn(6), specIn(6)), fc.tuple(spec, spec));

test('is symmetric, and true exactly if some packet is meant for both', () => {
  let conflicts = 0;
  fc.assert(
    fc.property(pair, crowdedGateways, ([a, b], gateways) => {
      const shared = PACKETS.some((packet) => meant(a, gateways, packet) && meant(b, gateways, packet));
      expect(conflict(a, b, gateways)).toBe(shared);
      expect(conflict(b, a, gateways)).toBe(shared);
      conflicts += Number(shared);
    }),
    { numRuns: 1500 },
  );
  expect(conflicts, 'the universe is crowded enough to mean something').toBeGreaterThan(30);
});

test('no packet is meant for two accepted forwards', () => {
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 12 }), crowdedGateways, (wishes, gateways) => {
      const accepted: ForwardSpec[] = [];
      for (const wish of wishes) if (!accepted.some((other) => conflict(wish, other, gateways))) accepted.push(wish);
      return PACKETS.every((packet) => accepted.filter((one) => meant(one, gateways, packet)).length <= 1);
    }),
    { numRuns: 100 },
  );
});

describe('cases', () => {
  const known = { 4: addressOf(4, 0xcb007101n) };
  const base: ForwardInput = { router: 'r', external_port: 5001, internal_address: '192.168.50.11' };
  test.each<[string, Partial<ForwardInput>, Partial<ForwardInput>, Gateways, boolean]>([
    ['the same port twice', {}, { internal_address: '192.168.50.12' }, {}, true],
    ['gateway and its address, known', {}, { external_address: '203.0.113.1' }, known, true],
    ['gateway and its address, not known', {}, { external_address: '203.0.113.1' }, {}, false],
    ['gateways of two families', {}, { internal_address: 'fd00::1' }, {}, false],
    ['another router', {}, { router: 's' }, known, false],
    ['another protocol', {}, { protocol: 'udp' }, known, false],
    ['ranges that touch', { external_port: '5001-5002' }, { external_port: '5002-5003' }, known, true],
    ['ranges side by side', { external_port: '5001-5002' }, { external_port: '5003-5004' }, known, false],
    ['disjoint sources', { sources: ['10.0.0.0/8'] }, { sources: ['11.0.0.0/8'] }, known, false],
    ['a source and anyone', { sources: ['10.0.0.0/8'] }, {}, known, true],
    ['disabled, which keeps its place', { enabled: false }, {}, known, true],
  ])('%s', (_, a, b, gateways, expected) => {
    expect(conflict(parseForwardSpec({ ...base, ...a }), parseForwardSpec({ ...base, ...b }), gateways)).toBe(expected);
  });
});
