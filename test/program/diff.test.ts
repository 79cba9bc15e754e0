import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr } from '../../src/model/cidr.ts';
import { type Change, diff, isEmpty } from '../../src/program/diff.ts';
import { resolve } from '../../src/program/resolve.ts';
import { type Program, type Rule, rulesOverlap, sameRule } from '../../src/program/rule.ts';
import { crowdedForwards, crowdedGateways, forwardOf } from '../model/arbitraries.ts';

const program = fc
  .tuple(crowdedForwards, crowdedGateways)
  .map(([forwards, gateways]) => resolve(forwards, gateways).program);

/**
 * What a kernel does with a change: a table that refuses to remove what is not there, and to add what matches
 * packets of what is there.
 */
function applied(from: Program, change: Change): Map<string, Rule> {
  const table = new Map(from);
  for (const rule of change.remove) {
    expect(table.get(rule.forward)).toEqual(rule);
    table.delete(rule.forward);
  }
  for (const rule of change.add) {
    expect([...table.values()].some((other) => rulesOverlap(other, rule))).toBe(false);
    table.set(rule.forward, rule);
  }
  return table;
}

const sorted = (table: Iterable<[string, Rule]>) => [...table].sort(([a], [b]) => a.localeCompare(b));

describe('properties', () => {
  test('diff(a, b) applied to a gives b', () => {
    fc.assert(
      fc.property(program, program, (a, b) => {
        const result = applied(a, diff(a, b));
        expect(sorted(result)).toEqual(sorted(b));
      }),
    );
  });

  test('it is minimal: exactly the rules of a that b lacks, and the other way round', () => {
    const lacking = (from: Program, other: Program) => {
      const texts = new Set([...other.values()].map((rule) => JSON.stringify(rule)));
      return [...from.values()].map((rule) => JSON.stringify(rule)).filter((text) => !texts.has(text));
    };
    fc.assert(
      fc.property(program, program, (a, b) => {
        const { remove, add } = diff(a, b);
        expect(remove.map((rule) => JSON.stringify(rule)).sort()).toEqual(lacking(a, b).sort());
        expect(add.map((rule) => JSON.stringify(rule)).sort()).toEqual(lacking(b, a).sort());
      }),
    );
  });

  test('diff(a, a) is empty, also for a copy', () => {
    fc.assert(
      fc.property(program, (a) => {
        expect(isEmpty(diff(a, a))).toBe(true);
        expect(isEmpty(diff(a, new Map([...a].map(([id, rule]) => [id, structuredClone(rule)]))))).toBe(true);
      }),
    );
  });

  test('looking only at the forwards that changed finds the same, in whatever order they are named', () => {
    fc.assert(
      fc.property(program, program, (a, b) => {
        const all = diff(a, b);
        const touched = new Set([...all.add, ...all.remove].map((rule) => rule.forward).reverse());
        const some = diff(a, b, touched);
        const ids = (rules: readonly Rule[]) => rules.map((rule) => rule.forward).sort();
        expect([ids(some.remove), ids(some.add)]).toEqual([ids(all.remove), ids(all.add)]);
      }),
    );
  });
});

test('forwards outside `among` are left alone, unknown ones are nothing', () => {
  const gateways = { 4: { family: 4, text: '203.0.113.1' } } as const;
  const { program: one } = resolve([forwardOf({})], gateways);
  expect(isEmpty(diff(one, new Map(), []))).toBe(true);
  expect(isEmpty(diff(one, one, ['00000000-0000-4000-8000-00000000ffff']))).toBe(true);
  expect(diff(one, new Map()).remove).toEqual([...one.values()]);
});

test('rules are the same only if every part of them is', () => {
  const rule: Rule = {
    forward: 'a',
    protocol: 'tcp',
    external: { family: 4, text: '203.0.113.1' },
    externalPorts: { first: 10, last: 12 },
    internal: { family: 4, text: '192.168.50.11' },
    internalPorts: { first: 20, last: 22 },
    sources: [parseCidr('198.51.100.0/24')],
    expiresAt: null,
  };
  const changes: Partial<Rule>[] = [
    { forward: 'b' },
    { protocol: 'udp' },
    { external: { family: 4, text: '203.0.113.2' } },
    { externalPorts: { first: 11, last: 12 } },
    { externalPorts: { first: 10, last: 13 } },
    { internal: { family: 4, text: '192.168.50.12' } },
    { internalPorts: { first: 21, last: 22 } },
    { internalPorts: { first: 20, last: 23 } },
    { sources: [] },
    { expiresAt: '2030-12-24T18:30:00.000Z' },
    { sources: [parseCidr('198.51.101.0/24')] },
    { sources: [parseCidr('198.51.100.0/24'), parseCidr('198.51.101.0/24')] },
  ];
  expect(sameRule(rule, structuredClone(rule))).toBe(true);
  for (const change of changes) expect(sameRule(rule, { ...rule, ...change }), Object.keys(change).join()).toBe(false);
});
