import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InsideInterface } from '../../../../src/dataplane/linux/inside-interfaces.ts';
import { correct } from '../../../../src/dataplane/linux/nftables/correction.ts';
import { elementsOf, hairpinElements } from '../../../../src/dataplane/linux/nftables/elements.ts';
import type { SetElement } from '../../../../src/kernel/nft/nft-batch.ts';
import type { TableState } from '../../../../src/kernel/nft/nft-table.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { diff } from '../../../../src/program/diff.ts';
import type { Program, Rule } from '../../../../src/program/rule.ts';
import { PROTOCOLS } from '../../../model/arbitraries.ts';
import { programOf, programs, ruleOf } from '../../../program/programs.ts';
import { FINGERPRINT, tableAfter } from './table-after.ts';

const program = programs({
  protocols: PROTOCOLS,
  external: ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2'].map(parseAddress),
  externalPorts: [80, 443, '80-82', '400-500'],
  internal: ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'].map(parseAddress),
  internalPorts: [22, 8080],
  sources: ['192.0.2.0/25', '192.0.2.128/25', '198.51.100.7', '2001:db8:a::/64'],
});

const elements = (rules: Iterable<Rule>): readonly SetElement[] =>
  [...rules].flatMap((rule) => elementsOf(rule, { accounting: true }));
const tableOf = (of: Program) => tableAfter(null, { table: 'create', remove: [], add: elements(of.values()) });
const wantedFor = (of: Program) => ({ surroundings: [], rules: elements(of.values()) });
const correctTo = (found: TableState | null, of: Program) => correct(found, wantedFor(of), FINGERPRINT);

/** In no order. */
function contents(table: TableState | null): unknown {
  const sorted = [...(table?.elements ?? [])].map(([map, list]) => [
    map,
    new Map(list.map((each) => [each.key, each])),
  ]);
  return table && { fingerprint: table.fingerprint, elements: sorted };
}

describe('correct', () => {
  test('what it leaves is right, from any table that an earlier program or a stranger left', () => {
    const found = fc.oneof(
      fc.constant(null),
      program.map(tableOf),
      program.map((of) => ({ fingerprint: 'tampered with', elements: tableOf(of)?.elements ?? new Map() })),
    );
    fc.assert(
      fc.property(found, program, (before, wanted) => {
        const { change, count } = correctTo(before, wanted);
        const after = change === null ? before : tableAfter(before, change);
        expect(correctTo(after, wanted)).toEqual({ change: null, count: 0 });
        expect(count === 0).toBe(change === null);
        if (after !== null || wanted.size > 0) expect(contents(after)).toEqual(contents(tableOf(wanted)));
      }),
    );
  });

  test('it touches only what is wrong', () => {
    fc.assert(
      fc.property(program, program, (present, wanted) => {
        const { change, count } = correctTo(tableOf(present), wanted);
        const { remove, add } = diff(present, wanted);
        expect(count === 0).toBe(remove.length + add.length === 0);
        expect(change?.table ?? 'keep').toBe('keep');
        expect(change?.remove.length ?? 0).toBeLessThanOrEqual(elements(remove).length);
        expect(change?.add.length ?? 0).toBeLessThanOrEqual(elements(add).length);
      }),
    );
  });

  test('what is in the kernel twice for one forward, or without its name, is put right', () => {
    const wanted = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22])]);
    const renamed = programOf([ruleOf(2, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22])]);
    const moved = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 81], ['10.0.0.1', 22])]);
    for (const other of [renamed, moved]) {
      const { change } = correctTo(tableOf(other), wanted);
      expect(change).not.toBeNull();
      if (change !== null) expect(contents(tableAfter(tableOf(other), change))).toEqual(contents(tableOf(wanted)));
    }
  });
});

test('a change of elements goes from any program to any other', () => {
  fc.assert(
    fc.property(program, program, (from, to) => {
      const { remove, add } = diff(from, to);
      const change = { table: 'keep', remove: elements(remove), add: elements(add) } as const;
      expect(contents(tableAfter(tableOf(from), change))).toEqual(contents(tableOf(to)));
    }),
  );
});

test('what the router’s interfaces need is made with the first rule, kept after the last, and follows them', () => {
  const program = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22])]);
  const rules = elements(program.values());
  const [before, after] = [hairpinElements([inside('qr-a'), inside('qr-b')]), hairpinElements([inside('qr-b')])];
  expect(correct(null, { surroundings: before, rules: [] }, FINGERPRINT).change).toBeNull();
  const { change: made } = correct(null, { surroundings: before, rules }, FINGERPRINT);
  expect(made?.add).toEqual([...before, ...rules]);
  const table = made && tableAfter(null, made);
  const { change: emptied } = correct(table, { surroundings: before, rules: [] }, FINGERPRINT);
  expect(emptied?.remove.map(({ key }) => key).sort()).toEqual(rules.map(({ key }) => key).sort());
  const { change: fewer } = correct(table, { surroundings: after, rules }, FINGERPRINT);
  expect([fewer?.remove.map(({ key }) => key), fewer?.add]).toEqual([['qr-a . qr-a'], []]);
});

function inside(name: string): InsideInterface {
  return { name, isBridge: false, networks: [] };
}
