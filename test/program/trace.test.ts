import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, parseAddress } from '../../src/model/address.ts';
import { type Forward, parseForwardSpec } from '../../src/model/forward.ts';
import { parsePortRange } from '../../src/model/port-range.ts';
import { resolve } from '../../src/program/resolve.ts';
import type { Program, Rule } from '../../src/program/rule.ts';
import { type Packet, trace } from '../../src/program/trace.ts';
import { crowdedForwards, crowdedGateways, outside } from '../model/arbitraries.ts';
import { programOf, ruleOf } from './programs.ts';

const CLIENT = parseAddress('198.51.100.5');

const packet = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    host: fc.constantFrom('1', '2', '3'),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
    port: fc.oneof(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 12 })),
  })
  .map(({ family, host, ...rest }) => ({ ...rest, source: CLIENT, destination: parseAddress(outside(family, host)) }));

/** Every packet the program changes, written out one by one. */
function expanded(program: Program): Map<string, string> {
  const table = new Map<string, string>();
  for (const rule of program.values()) {
    const inside = portsOf(rule.internalPorts);
    for (const [index, port] of portsOf(rule.externalPorts).entries()) {
      const target = inside.length === 1 ? inside[0] : inside[index];
      table.set(`${rule.protocol} ${rule.external.text} ${port}`, `${rule.internal.text} ${target}`);
    }
  }
  return table;
}

function portsOf({ first, last }: { first: number; last: number }): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function expectAgreement(program: Program, probe: Packet): boolean {
  const { rule, destination, port } = trace(program, probe);
  const naive = expanded(program).get(`${probe.protocol} ${probe.destination.text} ${probe.port}`);
  expect(rule === null).toBe(naive === undefined);
  expect(`${destination.text} ${port}`).toBe(naive ?? `${probe.destination.text} ${probe.port}`);
  return rule !== null;
}

test('agrees with a table that names every packet, single ports', () => {
  let changed = 0;
  fc.assert(
    fc.property(crowdedForwards, crowdedGateways, packet, (forwards, gateways, probe) => {
      changed += Number(expectAgreement(resolve(forwards, gateways).program, probe));
    }),
    { numRuns: 1000 },
  );
  expect(changed, 'some packets meet a rule').toBeGreaterThan(10);
});

test('agrees with it on ranges, kept, shifted and many to one', () => {
  const range = fc
    .record({
      host: fc.constantFrom('1', '2', '3'),
      first: fc.integer({ min: 1, max: 8 }),
      size: fc.nat(3),
      to: fc.integer({ min: 1, max: 60 }),
      one: fc.boolean(),
    })
    .map(
      ({ host, first, size, to, one }): Rule => ({
        forward: `forward ${host}`,
        protocol: 'tcp',
        external: parseAddress(outside(4, host)),
        externalPorts: { first, last: first + size },
        internal: addressOf(4, 0xc0a83201n),
        internalPorts: one ? { first: to, last: to } : { first: to, last: to + size },
        sources: [],
        expiresAt: null,
      }),
    );
  const program = fc
    .uniqueArray(range, { selector: (rule) => rule.forward })
    .map((rules): Program => new Map(rules.map((rule) => [rule.forward, rule])));
  fc.assert(
    fc.property(program, packet, (rules, probe) => {
      expectAgreement(rules, probe);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['5001-5003', '8001-8003', 5002, 8002],
  ['5001-5003', '5001-5003', 5003, 5003],
  ['5001-5003', '22', 5003, 22],
  ['5001', '22', 5001, 22],
  ['5001', '22', 5002, 5002],
])('%s to %s: a packet to %i arrives at %i', (external_port, internal_port, port, arrives) => {
  const input = {
    router: 'r',
    external_address: '203.0.113.1',
    external_port,
    internal_address: '192.168.50.11',
    internal_port,
  };
  const at = '2026-01-01T00:00:00.000Z';
  const forward: Forward = { ...parseForwardSpec(input), id: 'a', revision: 1, createdAt: at, updatedAt: at };
  expect(forward.externalPorts).toEqual(parsePortRange(external_port));
  const { program } = resolve([forward], {});
  expect(trace(program, { protocol: 'tcp', source: CLIENT, destination: parseAddress('203.0.113.1'), port }).port).toBe(
    arrives,
  );
});

test.each([
  ['198.51.100.5', true],
  ['198.51.100.6', false],
  ['203.0.113.0', true],
  ['203.0.113.255', true],
  ['203.0.114.0', false],
  ['2001:db8::1', false],
])('sources: a packet from %s meets the rule: %s', (source, expected) => {
  const program = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 80], '198.51.100.5', '203.0.113.0/24')]);
  const packet = {
    protocol: 'tcp',
    source: parseAddress(source),
    destination: parseAddress('192.0.2.1'),
    port: 80,
  } as const;
  expect(trace(program, packet).rule !== null).toBe(expected);
});
