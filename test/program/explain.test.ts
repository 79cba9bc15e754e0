import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { cidrContains } from '../../src/model/cidr.ts';
import { type Forward, type ForwardInput, GATEWAY } from '../../src/model/forward.ts';
import { printPortRange } from '../../src/model/port-range.ts';
import type { Gateways } from '../../src/model/router.ts';
import type { RouterStatus } from '../../src/model/status.ts';
import { explain, type Miss } from '../../src/program/explain.ts';
import { REFUSAL_REASONS, type RefusalReason, type RouterView, reasonsOf } from '../../src/program/refusals.ts';
import { resolve } from '../../src/program/resolve.ts';
import type { Program } from '../../src/program/rule.ts';
import { type Packet, trace } from '../../src/program/trace.ts';
import { crowdedForwards, crowdedGateways, forwardOf, idOf, outside } from '../model/arbitraries.ts';
import { programs } from './programs.ts';

const NOW = '2026-06-01T00:00:00.000Z';
const PAST = '2026-05-01T00:00:00.000Z';

function status(differences: Partial<RouterStatus> = {}): RouterStatus {
  return {
    router: 'r',
    node: 'n1',
    instances: ['r'],
    gateways: {},
    revision: 10,
    at: NOW,
    problems: {},
    error: null,
    ...differences,
  };
}

function viewOf(forwards: readonly Forward[], gateways: Gateways = {}, statuses = [status({ gateways })]): RouterView {
  return { router: 'r', forwards: new Map(forwards.map((one) => [one.id, one])), gateways, statuses, now: NOW };
}

function packetOf(destination: string, port: number, source = '198.51.100.5', protocol: Packet['protocol'] = 'tcp') {
  return { protocol, source: parseAddress(source), destination: parseAddress(destination), port };
}

const NETWORKS = { 4: ['198.51.100.0/25', '198.51.100.5/32'], 6: ['2001:db8:7::/64', '2001:db8:7::5/128'] };
const CLIENTS = {
  4: ['198.51.100.5', '198.51.100.6', '198.51.100.200'],
  6: ['2001:db8:7::5', '2001:db8:7::6', '2001:db8:8::1'],
};

/** In a universe so small that packets, forwards and gateways meet in every way. */
const forwards = fc
  .array(
    fc.record({
      family: fc.constantFrom(4 as const, 6 as const),
      external: fc.constantFrom('gateway', '1', '2'),
      protocol: fc.constantFrom('tcp', 'udp'),
      first: fc.integer({ min: 1, max: 4 }),
      size: fc.nat(2),
      inside: fc.constantFrom('kept' as const, 'shifted' as const, 'one' as const),
      sources: fc.constantFrom<readonly number[]>([], [0], [1]),
      enabled: fc.constantFrom(true, true, true, false),
      expires: fc.constantFrom(null, null, null, PAST, '2027-01-01T00:00:00.000Z'),
      second: fc.nat(3),
    }),
    { maxLength: 8, size: 'max' },
  )
  .map((wishes) =>
    wishes.map(({ family, external, first, size, inside, sources, expires, second, ...rest }, index) => {
      const range = (from: number) => (size === 0 ? `${from}` : `${from}-${from + size}`);
      return forwardOf(
        {
          protocol: rest.protocol,
          enabled: rest.enabled,
          expires_at: expires,
          external_address: external === 'gateway' ? 'gateway' : outside(family, external),
          external_port: range(first),
          internal_address: family === 4 ? '192.168.50.11' : 'fd00::11',
          internal_port: inside === 'kept' ? range(first) : inside === 'shifted' ? range(first + 100) : '22',
          sources: sources.flatMap((one) => NETWORKS[family][one] ?? []),
        },
        { id: idOf(1000 - index), createdAt: `2026-01-01T00:00:0${second}.000Z` },
      );
    }),
  );

const packet: fc.Arbitrary<Packet> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    host: fc.constantFrom('1', '2'),
    client: fc.nat(2),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    port: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ family, host, client, protocol, port }) =>
    packetOf(outside(family, host), port, CLIENTS[family][client], protocol),
  );

/** How often each thing was seen, so that a property cannot hold for want of cases. */
function createTally() {
  const counts = new Map<string, number>();
  return {
    add: (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1),
    of: (what: string) => counts.get(what) ?? 0,
  };
}

/** The same path by `trace` alone. */
function tracedPath(program: Program, probe: Packet): unknown {
  const { rule, destination, port } = trace(program, probe);
  return rule && { forward: rule.forward, target: `${destination.text} ${port}` };
}

function explainedPath(view: RouterView, probe: Packet): unknown {
  const { path } = explain(view, probe);
  return path && { forward: path.forward.id, target: `${path.target.address.text} ${path.target.port}` };
}

describe('agrees with trace', () => {
  test('on random forwards, states and gateways', () => {
    const tally = createTally();
    fc.assert(
      fc.property(fc.oneof(forwards, crowdedForwards), crowdedGateways, packet, (some, gateways, probe) => {
        const view = viewOf(some, gateways);
        const expected = tracedPath(resolve(some, gateways, {}, NOW).program, probe);
        expect(explainedPath(view, probe)).toEqual(expected);
        tally.add(expected === null ? 'none' : 'taken');
      }),
      { numRuns: 2000 },
    );
    expect(tally.of('taken')).toBeGreaterThan(20);
    expect(tally.of('none')).toBeGreaterThan(100);
  });

  test('on random programs with ranges and sources', () => {
    const both = (host: string) => [4 as const, 6 as const].map((family) => parseAddress(outside(family, host)));
    const universe = {
      protocols: ['tcp', 'udp'] as const,
      external: [...both('1'), ...both('2')],
      externalPorts: [1, 3, '1-3', '2-6', '1-65535'],
      internal: ['10.0.0.1', 'fd00::1'].map(parseAddress),
      internalPorts: [1, 22, 100],
      sources: [...NETWORKS[4], ...NETWORKS[6]],
    };
    const tally = createTally();
    fc.assert(
      fc.property(programs(universe), packet, (program, probe) => {
        const same = [...program.values()].map((rule) =>
          forwardOf(
            {
              protocol: rule.protocol,
              external_address: rule.external.text,
              external_port: printPortRange(rule.externalPorts),
              internal_address: rule.internal.text,
              internal_port: printPortRange(rule.internalPorts),
              sources: rule.sources.map(({ text }) => text),
            },
            { id: rule.forward },
          ),
        );
        const expected = tracedPath(program, probe);
        expect(explainedPath(viewOf(same), probe)).toEqual(expected);
        tally.add(expected === null ? 'none' : 'taken');
      }),
      { numRuns: 1000 },
    );
    expect(tally.of('taken')).toBeGreaterThan(20);
    expect(tally.of('none')).toBeGreaterThan(100);
  });
});

describe('refusals', () => {
  /** Whether what the refusal says is so, without the code under test. */
  function isTrue(reason: RefusalReason, forward: Forward, probe: Packet, view: RouterView): boolean {
    const { gateways, statuses, forwards: all } = view;
    const { family } = forward.internalAddress;
    const external = forward.externalAddress === GATEWAY ? gateways[family] : forward.externalAddress;
    const { first, last } = forward.externalPorts;
    const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const inProgram = (some: Iterable<Forward>) => resolve(some, gateways, {}, NOW).program.has(forward.id);
    const truths: Readonly<Record<RefusalReason, boolean>> = {
      disabled: !forward.enabled,
      expired: forward.expiresAt === PAST,
      waiting: external === undefined && statuses.length === 0,
      pending: external === undefined && statuses.length > 0,
      displaced: inProgram([forward]) && !inProgram(all.values()),
      source: forward.sources.length > 0 && !forward.sources.some((cidr) => cidrContains(cidr, probe.source)),
      protocol: forward.protocol !== probe.protocol,
      address: external === undefined ? family !== probe.destination.family : external.text !== probe.destination.text,
      port: !ports.includes(probe.port),
    };
    return truths[reason];
  }

  test('a forward is refused for nothing exactly where trace takes it, and for all that is true of it otherwise', () => {
    const tally = createTally();
    const statuses = fc.constantFrom<RouterStatus[]>([status()], []);
    fc.assert(
      fc.property(forwards, crowdedGateways, statuses, packet, (some, gateways, known, probe) => {
        const view = viewOf(some, gateways, known);
        const { program } = resolve(some, gateways, {}, NOW);
        const taken = trace(program, probe).rule?.forward;
        for (const forward of some) {
          const reasons = reasonsOf(forward, probe, view, program);
          expect(reasons.length === 0).toBe(forward.id === taken);
          for (const reason of REFUSAL_REASONS) {
            expect(reasons.includes(reason), reason).toBe(isTrue(reason, forward, probe, view));
          }
          for (const reason of reasons) tally.add(reason);
        }
      }),
      { numRuns: 1000 },
    );
    for (const reason of REFUSAL_REASONS) {
      expect(tally.of(reason), reason).toBeGreaterThan(20);
    }
  });
});

describe('misses', () => {
  const gateways = { 4: parseAddress('203.0.113.1') };
  const add = (id: number, input: Partial<ForwardInput>) => forwardOf(input, { id: idOf(id) });
  const told = (misses: readonly Miss[]) =>
    misses.map(({ forward, refusals }) => [
      Number(`0x${forward.id.slice(-4)}`),
      ...refusals.map(({ message }) => message),
    ]);
  const missesOf = (some: readonly Forward[], probe: Packet, known: Gateways = gateways, statuses = [status()]) =>
    told(explain(viewOf(some, known, statuses), probe).misses);

  test.each<[string, Partial<ForwardInput>, string]>([
    ['protocol', { protocol: 'udp' }, 'it is for udp'],
    ['port', { external_port: 5002 }, 'it is for port 5002'],
    ['ports', { external_port: '5002-5009' }, 'it is for ports 5002-5009'],
    ['address', { external_address: '203.0.113.9' }, 'it is for 203.0.113.9'],
    ['source', { sources: ['192.0.2.0/24'] }, '198.51.100.5 is not among its sources 192.0.2.0/24'],
    ['disabled', { enabled: false }, 'it is disabled'],
    ['expired', { expires_at: PAST }, 'it expired at 2026-05-01T00:00:00.000Z'],
  ])('%s', (_, input, message) => {
    expect(missesOf([add(1, input)], packetOf('203.0.113.1', 5001))).toEqual([[1, message]]);
  });

  test('many sources are cut short', () => {
    const sources = [1, 2, 3, 4, 5].map((host) => `192.0.2.${host}`);
    const [[, message] = []] = missesOf([add(1, { sources })], packetOf('203.0.113.1', 5001));
    expect(message).toBe('198.51.100.5 is not among its sources 192.0.2.1/32, 192.0.2.2/32, 192.0.2.3/32 and 2 more');
  });

  test('without a gateway address: the router lacks it, or no node has the router', () => {
    const probe = packetOf('203.0.113.1', 5001);
    expect(missesOf([add(1, {})], probe, {})).toEqual([[1, 'the router has no IPv4 gateway address at present']]);
    expect(missesOf([add(1, {})], probe, {}, [])).toEqual([[1, 'no node has the router r yet']]);
    const six = add(1, { internal_address: 'fd00::11' });
    expect(missesOf([six], probe, {})).toEqual([
      [1, 'the router has no IPv6 gateway address at present', 'it is for an IPv6 address'],
    ]);
  });

  test('a port that was lost to an older forward: beside that one, and where that one does not want the packet', () => {
    const older = forwardOf({ name: 'older' }, { id: idOf(9) });
    const younger = forwardOf(
      { external_address: '203.0.113.1', external_port: '5001-5003' },
      { id: idOf(1), createdAt: '2026-01-02T00:00:00.000Z' },
    );
    const lost = [1, 'it lost its port to the older forward older'];
    const { path, misses } = explain(viewOf([younger, older], gateways), packetOf('203.0.113.1', 5001));
    expect([path?.forward, told(misses)]).toEqual([older, [lost]]);
    expect(missesOf([younger, older], packetOf('203.0.113.1', 5003))).toEqual([lost, [9, 'it is for port 5001']]);
  });

  test('the nearest first, five at most, and none that would not take this very packet beside one that does', () => {
    const some = [
      add(1, { external_port: 5009 }),
      add(2, { external_port: 80, protocol: 'udp' }),
      add(3, { external_port: 5003 }),
      add(4, { protocol: 'udp' }),
      add(5, { external_address: '203.0.113.9' }),
      add(6, { sources: ['192.0.2.0/24'] }),
      add(7, { enabled: false }),
    ];
    expect(missesOf(some, packetOf('203.0.113.1', 5001)).map(([id]) => id)).toEqual([7, 4, 6, 5, 3]);
    const { path, misses } = explain(
      viewOf([...some, add(8, { sources: ['198.51.100.0/24'] })], gateways),
      packetOf('203.0.113.1', 5001),
    );
    expect([path?.forward.id, told(misses).map(([id]) => id)]).toEqual([idOf(8), [7]]);
  });
});

describe('nodes', () => {
  const gateways = { 4: parseAddress('203.0.113.1') };
  const forward = forwardOf({}, { revision: 5 });
  const nodesOf = (some: readonly Forward[], ...statuses: readonly RouterStatus[]) =>
    explain(viewOf(some, gateways, [...statuses]), packetOf('203.0.113.1', 5001)).nodes.map(
      ({ node, applied, revision, message }) => [node, applied, revision, message],
    );

  test('each with what it has, or why not', () => {
    const problem = { state: 'error', message: 'connection tracking does not know it' } as const;
    const nodes = nodesOf(
      [forward],
      status({ gateways, revision: 5 }),
      status({ node: 'n2', gateways, revision: 4 }),
      status({ node: 'n3', gateways, error: 'no nft' }),
      status({ node: 'n4', gateways, problems: { [forward.id]: problem } }),
      status({ node: 'n5', gateways: { 4: parseAddress('203.0.113.2') } }),
    );
    expect(nodes).toEqual([
      ['n1', true, 5, null],
      ['n2', false, 4, 'the node has not applied it yet'],
      ['n3', false, 10, 'no nft'],
      ['n4', false, 10, 'connection tracking does not know it'],
      ['n5', false, 10, 'there the router has the address 203.0.113.2'],
    ]);
  });

  test('where no forward takes it: whether the node may still have one that does', () => {
    const disabled = forwardOf({ enabled: false }, { revision: 5 });
    const late = 'the node has not applied every change yet';
    const nodes = nodesOf(
      [disabled],
      status({ revision: 5 }),
      status({ node: 'n2', revision: 4 }),
      status({ error: 'no nft' }),
    );
    expect(nodes).toEqual([
      ['n1', true, 5, null],
      ['n2', false, 4, late],
      ['n1', false, 10, 'no nft'],
    ]);
    const expired = forwardOf({ expires_at: PAST }, { revision: 5 });
    expect(nodesOf([expired], status({ at: '2026-04-30T23:59:59.999Z' }), status({ at: PAST }))).toEqual([
      ['n1', false, 10, late],
      ['n1', true, 10, null],
    ]);
  });
});
