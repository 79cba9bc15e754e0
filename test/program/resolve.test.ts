import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
    expect(losers, 'the universe is crowded enough to mean something').toBeGreaterThan(20);
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
          const packet = { protocol: rule.protocol, destination: rule.external, port: rule.externalPorts.first };
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
      message: expect.stringContaining('203.0.113.1 5001'),
    });
  });

  test('a disabled forward is no part of the program and no problem', () => {
    expect(resolve([forwardOf({ enabled: false })], gateways)).toMatchObject({
      program: new Map(),
      problems: new Map(),
    });
  });

  test('a rule says everything a data plane needs', () => {
    const forward = forwardOf({ protocol: 'udp', external_port: '53', internal_port: '5353' });
    expect(resolve([forward], gateways).program.get(forward.id)).toEqual({
      forward: forward.id,
      protocol: 'udp',
      external: { family: 4, text: '203.0.113.1' },
      externalPorts: { first: 53, last: 53 },
      internal: { family: 4, text: '192.168.50.11' },
      internalPorts: { first: 5353, last: 5353 },
    });
  });
});
