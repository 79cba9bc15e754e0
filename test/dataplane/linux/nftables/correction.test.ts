import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { correct } from '../../../../src/dataplane/linux/nftables/correction.ts';
import { elementOf, type MapElement } from '../../../../src/dataplane/linux/nftables/elements.ts';
import { LAYOUT } from '../../../../src/dataplane/linux/nftables/layout.ts';
import { changeElements, createTable, deleteTable } from '../../../../src/dataplane/linux/nftables/script.ts';
import type { TableState } from '../../../../src/kernel/nft-table.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { diff } from '../../../../src/program/diff.ts';
import type { Program } from '../../../../src/program/rule.ts';
import { PROTOCOLS } from '../../../model/arbitraries.ts';
import { programOf, programs, ruleOf } from '../../../program/programs.ts';
import { FINGERPRINT, tableAfter } from './script-reader.ts';

const program = programs({
  protocols: PROTOCOLS,
  external: ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2'].map(parseAddress),
  externalPorts: [80, 443],
  internal: ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'].map(parseAddress),
  internalPorts: [22, 8080],
});

const elementsOf = (of: Program): readonly MapElement[] => [...of.values()].map(elementOf);
const tableOf = (of: Program) => tableAfter(null, createTable(LAYOUT, elementsOf(of), false));
const correctTo = (found: TableState | null, of: Program) => correct(found, elementsOf(of), LAYOUT, FINGERPRINT);

/** In no order. */
function contents(table: TableState | null): unknown {
  const sorted = [...(table?.elements ?? [])].map(([map, list]) => [
    map,
    new Map(list.map((each) => [each.key, each])),
  ]);
  return table && { fingerprint: table.fingerprint, elements: sorted };
}

describe('correct', () => {
  test('what its script leaves is right, from any table that an earlier program or a stranger left', () => {
    const found = fc.oneof(
      fc.constant(null),
      program.map(tableOf),
      program.map((of) => ({ fingerprint: 'tampered with', elements: tableOf(of)?.elements ?? new Map() })),
    );
    fc.assert(
      fc.property(found, program, (before, wanted) => {
        const { script, count } = correctTo(before, wanted);
        const after = script === null ? before : tableAfter(before, script);
        expect(correctTo(after, wanted)).toEqual({ script: null, count: 0 });
        expect(count === 0).toBe(script === null);
        if (after !== null || wanted.size > 0) expect(contents(after)).toEqual(contents(tableOf(wanted)));
      }),
    );
  });

  test('it touches only what is wrong', () => {
    fc.assert(
      fc.property(program, program, (present, wanted) => {
        const { script, count } = correctTo(tableOf(present), wanted);
        const { remove, add } = diff(present, wanted);
        expect(count).toBe(Math.max(remove.length, add.length));
        const [lines, changed] = [script?.split(',\n').length ?? 0, remove.length + add.length];
        expect(lines).toBeLessThanOrEqual(changed);
        expect(script ?? '').not.toMatch(/ table | chain | map /);
      }),
    );
  });

  test('what is in the kernel twice for one forward, or without its name, is put right', () => {
    const wanted = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22])]);
    const renamed = programOf([ruleOf(2, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22])]);
    const moved = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 81], ['10.0.0.1', 22])]);
    for (const other of [renamed, moved]) {
      const { script } = correctTo(tableOf(other), wanted);
      expect(contents(tableAfter(tableOf(other), script ?? ''))).toEqual(contents(tableOf(wanted)));
    }
  });
});

describe('scripts', () => {
  test('creating gives the table as a whole', () => {
    const rules = [
      ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 8080]),
      ruleOf(2, 'udplite', ['2001:db8::1', 65_535], ['fd00::1', 1]),
    ];
    expect(createTable(LAYOUT, rules.map(elementOf), true)).toBe(`add table inet hatoba
delete table inet hatoba
add table inet hatoba
add map inet hatoba exact4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service ; }
add map inet hatoba exact6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service ; }
add chain inet hatoba prerouting { type nat hook prerouting priority -110 ; policy accept ; }
add rule inet hatoba prerouting dnat ip to ip daddr . meta l4proto . th dport map @exact4
add rule inet hatoba prerouting dnat ip6 to ip6 daddr . meta l4proto . th dport map @exact6
add element inet hatoba exact4 {
192.0.2.1 . 6 . 80 comment "00000000-0000-4000-8000-000000000001" : 10.0.0.1 . 8080
}
add element inet hatoba exact6 {
2001:db8::1 . 136 . 65535 comment "00000000-0000-4000-8000-000000000002" : fd00::1 . 1
}
`);
  });

  test('a change of elements goes from any program to any other', () => {
    fc.assert(
      fc.property(program, program, (from, to) => {
        const { remove, add } = diff(from, to);
        const script = changeElements(LAYOUT, remove.map(elementOf), add.map(elementOf));
        expect(contents(tableAfter(tableOf(from), script))).toEqual(contents(tableOf(to)));
      }),
    );
  });

  test('deleting leaves nothing', () => {
    fc.assert(
      fc.property(program, (of) => {
        expect(tableAfter(tableOf(of), deleteTable(LAYOUT))).toBeNull();
      }),
    );
  });
});
