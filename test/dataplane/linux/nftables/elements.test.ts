import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementsOf } from '../../../../src/dataplane/linux/nftables/elements.ts';
import { flowRules } from '../../../../src/dataplane/linux/nftables/flows.ts';
import { innerPort, type PortRange, printPortRange } from '../../../../src/model/port-range.ts';
import { ruleOf } from '../../../program/programs.ts';

const SOURCES = ['192.0.2.0/24', '198.51.100.7/32', '203.0.113.0/28', '203.0.113.64/26', '10.0.0.0/8'];

/** By way of a range that is shifted to another of the same size. */
const shift = fc
  .tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 2, max: 65_534 }))
  .map(([outer, inner, count]) => {
    const most = Math.min(count, 65_536 - Math.max(outer, inner));
    return { outer: rangeOf(outer, most), inner: rangeOf(inner, most) };
  });

function rangeOf(first: number, count: number): PortRange {
  return { first, last: first + count - 1 };
}

function elements(outer: PortRange, inner: PortRange, ...sources: readonly string[]) {
  const [external, internal] = [printPortRange(outer), printPortRange(inner)];
  const rule = ruleOf(1, 'tcp', ['203.0.113.7', external], ['10.0.0.1', internal], ...sources);
  return elementsOf(rule, { accounting: false });
}

describe('a range that is shifted', () => {
  test('each port of it leads where it should by one element, and no other port does', () => {
    fc.assert(
      fc.property(shift, ({ outer, inner }) => {
        const rules = flowRules(elements(outer, inner));
        const { first, last } = outer;
        for (const port of new Set([first - 1, first, first + 1, (first + last) >> 1, last - 1, last, last + 1])) {
          const about = rules.filter(({ ports }) => ports.first <= port && port <= ports.last);
          const leads = about.map(({ ports, targetPorts }) => innerPort(ports, targetPorts, port));
          expect(leads).toEqual(first <= port && port <= last ? [innerPort(outer, inner, port)] : []);
        }
      }),
    );
  });

  test('is a few elements however wide it is, and as many for each source', () => {
    const [outer, inner] = [rangeOf(1001, 60_000), rangeOf(2001, 60_000)];
    expect(elements(outer, inner)).toHaveLength(17);
    expect(elements(outer, inner, ...SOURCES)).toHaveLength(17 * SOURCES.length);
  });

  test('blocks go into the map that shifts, with both ends, and single ports elsewhere', () => {
    const [outer, inner] = [rangeOf(1007, 3), rangeOf(2007, 3)];
    const block = `1008 . 203.0.113.7 . 6 . 0.0.0.0-1009 . 203.0.113.7 . 6 . 255.255.255.255`;
    expect(elements(outer, inner)).toMatchObject([
      { set: 'exact4', key: '203.0.113.7 . 6 . 1007', value: '10.0.0.1 . 2007' },
      { set: 'shift4', key: block, value: '10.0.0.1 . 2008-2009' },
    ]);
    expect(elements(outer, inner, '192.0.2.7/32')).toMatchObject([
      { set: 'guarded4', value: '10.0.0.1 . 2007' },
      { set: 'shift4', value: '10.0.0.1 . 2008-2009' },
    ]);
  });
});
