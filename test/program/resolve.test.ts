import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, parseAddress } from '../../src/model/address.ts';
import { cidrContains } from '../../src/model/cidr.ts';
import { conflict } from '../../src/model/conflicts.ts';
import { type Forward, GATEWAY } from '../../src/model/forward.ts';
import type { Gateways } from '../../src/model/router.ts';
import { resolve } from '../../src/program/resolve.ts';
import { trace } from '../../src/program/trace.ts';
import { crowdedForwards, crowdedGateways, forwardOf, idOf } from '../model/arbitraries.ts';

/** What the forward would match, said independently of the code under test; null: nothing at present. */
function wanted(forward: Forward, gateways: Gateways): string | null {
  if (!forward.enabled) return null;
  const external =
    forward.externalAddress === GATEWAY ? gateways[forward.internalAddress.family] : forward.externalAddress;
  return external === undefined ? null : `${forward.protocol}|${external.text}|${forward.externalPorts.first}`;
}

function byAge(a: Forward, b: Forward): number {
  return a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);
}

describe('properties', () => {
  test('no two rules match the same packet', () => {
    fc.assert(
      fc.property(crowdedForwards, crowdedGateways, (forwards, gateways) => {
        const { program } = resolve(forwards, gateways);
        const matches = [...program.values()].map((rule) =>
          [rule.protocol, rule.external.text, rule.externalPorts.first].join(),
        );
        expect(new Set(matches).size).toBe(matches.length);
      }),
    );
  });

  test('of forwards that want the same, the oldest has it, and the others are told', () => {
    let losers = 0;
    fc.assert(
      fc.property(crowdedForwards, crowdedGateways, (forwards, gateways) => {
        const { program, problems } = resolve(forwards, gateways);
        for (const forward of forwards) {
          const match = wanted(forward, gateways);
          const rivals = forwards.filter((other) => match !== null && wanted(other, gateways) === match).sort(byAge);
          expect(program.has(forward.id)).toBe(rivals[0] === forward);
          const lost = rivals.length > 0 && rivals[0] !== forward;
          losers += Number(lost);
          const state = lost ? 'error' : match === null && forward.enabled ? 'pending' : undefined;
          expect(problems.get(forward.id)?.state).toBe(state);
        }
      }),
    );
    expect(losers, 'the universe is crowded enough to mean something').toBeGreaterThan(10);
  });

  test('of ranges and sources, too: whoever shares a packet with an older one that has its packets gets none', () => {
    const sources = { a: ['10.0.0.0/31'], b: ['10.0.0.1', '10.0.0.2'], c: ['10.0.0.3'], anyone: [] };
    const wish = fc.record({
      first: fc.integer({ min: 1, max: 6 }),
      size: fc.nat(2),
      from: fc.constantFrom('a' as const, 'b' as const, 'c' as const, 'anyone' as const),
      second: fc.nat(3),
    });
    const packetsOf = ({ externalPorts, sources: allowed }: Forward): readonly string[] =>
      [0, 1, 2, 3].flatMap((host) => {
        const isAllowed =
          allowed.length === 0 || allowed.some((cidr) => cidrContains(cidr, parseAddress(`10.0.0.${host}`)));
        return [1, 2, 3, 4, 5, 6, 7, 8]
          .filter((port) => isAllowed && externalPorts.first <= port && port <= externalPorts.last)
          .map((port) => `${host}:${port}`);
      });
    let losers = 0;
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 8 }), (wishes) => {
        const forwards = wishes.map(({ first, size, from, second }, index) =>
          forwardOf(
            { external_address: '203.0.113.1', external_port: `${first}-${first + size}`, sources: sources[from] },
            { id: idOf(1000 - index), createdAt: `2026-01-01T00:00:0${second}.000Z` },
          ),
        );
        const taken = new Set<string>();
        const { program, problems } = resolve(forwards, {});
        for (const forward of forwards.toSorted(byAge)) {
          const packets = packetsOf(forward);
          const isFree = packets.every((packet) => !taken.has(packet));
          if (isFree) for (const packet of packets) taken.add(packet);
          losers += Number(!isFree);
          expect(program.has(forward.id)).toBe(isFree);
          expect(problems.get(forward.id)?.state).toBe(isFree ? undefined : 'error');
        }
      }),
    );
    expect(losers, 'they meet often enough to mean something').toBeGreaterThan(50);
  });

  test('the order of the forwards does not matter', () => {
    const shuffled = crowdedForwards.chain((forwards) =>
      fc.tuple(fc.constant(forwards), fc.shuffledSubarray([...forwards], { minLength: forwards.length })),
    );
    fc.assert(
      fc.property(shuffled, crowdedGateways, ([forwards, others], gateways) => {
        const a = resolve(forwards, gateways);
        const b = resolve(others, gateways);
        expect(b.program).toEqual(a.program);
        expect(b.problems).toEqual(a.problems);
      }),
    );
  });

  test('forwards accepted together are all in the program, and each has its packets', () => {
    fc.assert(
      fc.property(crowdedForwards, crowdedGateways, (forwards, gateways) => {
        const accepted: Forward[] = [];
        for (const one of forwards) if (!accepted.some((other) => conflict(one, other, gateways))) accepted.push(one);
        const { program } = resolve(accepted, gateways);
        for (const forward of accepted) {
          if (wanted(forward, gateways) === null) continue;
          const rule = program.get(forward.id);
          expect(rule).toBeDefined();
          if (rule === undefined) continue;
          const [first] = rule.sources;
          const source = first === undefined ? rule.external : addressOf(first.family, first.first);
          const packet = {
            protocol: rule.protocol,
            source,
            destination: rule.external,
            port: rule.externalPorts.first,
          };
          expect(trace(program, packet).rule).toBe(rule);
        }
      }),
    );
  });
});

describe('cases', () => {
  const other = forwardOf({ external_address: '203.0.113.1' }, { id: idOf(2), createdAt: '2026-01-01T00:00:01.000Z' });
  const older = forwardOf({}, { id: idOf(9) });
  const gateways: Gateways = { 4: { family: 4, text: '203.0.113.1' } };

  test('a gateway that is not known leaves its forward pending', () => {
    const { program, problems } = resolve([older], {});
    expect(program.size).toBe(0);
    expect(problems.get(older.id)).toEqual({
      state: 'pending',
      message: 'the router has no IPv4 gateway address at present',
    });
  });

  test('a gateway that becomes an address another forward names: the younger is told who has it', () => {
    const { program, problems } = resolve([other, older], gateways);
    expect([...program.keys()]).toEqual([older.id]);
    expect(problems.get(other.id)).toMatchObject({
      state: 'error',
      message: expect.stringContaining('203.0.113.1:5001'),
    });
  });

  test('a disabled forward is no part of the program and no problem', () => {
    expect(resolve([forwardOf({ enabled: false })], gateways)).toMatchObject({
      program: new Map(),
      problems: new Map(),
    });
  });

  test('nor is one that has expired, and its port is left to another that wanted it', () => {
    const ends = forwardOf({ expires_at: '2026-01-01T00:00:05Z' }, { id: idOf(9) });
    const at = (now?: string) => [...resolve([other, ends], gateways, {}, now).program.keys()];
    expect([at(), at('2026-01-01T00:00:04.999Z')]).toEqual([[ends.id], [ends.id]]);
    expect(at('2026-01-01T00:00:05.000Z')).toEqual([other.id]);
    expect(resolve([ends], gateways, {}, '2026-01-01T00:00:05.000Z').problems.size).toBe(0);
  });

  test('a rule says everything a data plane needs', () => {
    const expires_at = '2030-12-24T18:30:00.000Z';
    const forward = forwardOf({ protocol: 'udp', external_port: '53', internal_port: '5353', expires_at });
    expect(resolve([forward], gateways).program.get(forward.id)).toEqual({
      forward: forward.id,
      protocol: 'udp',
      external: { family: 4, text: '203.0.113.1' },
      externalPorts: { first: 53, last: 53 },
      internal: { family: 4, text: '192.168.50.11' },
      internalPorts: { first: 5353, last: 5353 },
      sources: [],
      expiresAt: expires_at,
    });
  });
});
