import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HatobaError } from '../../src/model/errors.ts';
import {
  alignedBlocks,
  innerPort,
  parsePortRange,
  parseSinglePort,
  portCount,
  portsOverlap,
  printPortRange,
} from '../../src/model/port-range.ts';
import { nearMiss } from './arbitraries.ts';
import { outcome, refusal } from './refusal.ts';

const range = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

test.each([
  ['5001', 5001],
  ['5001-5001', 5001],
  ['5001-5002', 'port_not_single'],
  ['0', 'port_out_of_range'],
  ['x', 'port_malformed'],
])('one port: %s is %s', (text, expected) => {
  const read = outcome(() => parseSinglePort(text));
  expect(read instanceof HatobaError ? read.code : read).toBe(expected);
});

test.each([
  ['1', 1, 1],
  ['65535', 65535, 65535],
  ['5001-5010', 5001, 5010],
  ['5001-5001', 5001, 5001],
  ['1-65535', 1, 65535],
])('%s goes from %i to %i', (text, first, last) => {
  expect(parsePortRange(text)).toEqual({ first, last });
});

test.each([
  ['0', 'port_out_of_range'],
  ['65536', 'port_out_of_range'],
  ['999999999', 'port_out_of_range'],
  ['0-10', 'port_out_of_range'],
  ['10-65536', 'port_out_of_range'],
  ['5010-5001', 'port_range_reversed'],
  ['', 'port_malformed'],
  ['-', 'port_malformed'],
  ['-1', 'port_malformed'],
  ['+80', 'port_malformed'],
  ['080', 'port_malformed'],
  ['80-090', 'port_malformed'],
  ['00', 'port_malformed'],
  ['0x50', 'port_malformed'],
  ['8e1', 'port_malformed'],
  ['80.5', 'port_malformed'],
  ['80-', 'port_malformed'],
  ['80-90-100', 'port_malformed'],
  ['80:90', 'port_malformed'],
  ['80,90', 'port_malformed'],
  [' 80', 'port_malformed'],
  ['80\n', 'port_malformed'],
  ['８０', 'port_malformed'],
  ['ssh', 'port_malformed'],
  ['NaN', 'port_malformed'],
  ['Infinity', 'port_malformed'],
])('%j is refused as %s', (text, code) => {
  const error = refusal(() => parsePortRange(text));
  expect(error.code).toBe(code);
  expect(error.hint).not.toBe('');
});

test('a reversed range is answered with the one that was meant', () => {
  expect(refusal(() => parsePortRange('5010-5001')).hint).toContain('5001-5010');
});

test.each([
  ['5001-5010', '6001-6010', 5005, 6005],
  ['5001-5010', '5001-5010', 5010, 5010],
  ['5001-5010', '22', 5005, 22],
  ['5001', '22', 5001, 22],
])('%s to %s: %i leads to %i', (outer, inner, port, expected) => {
  expect(innerPort(parsePortRange(outer), parsePortRange(inner), port)).toBe(expected);
});

describe('properties', () => {
  test('parse(print(x)) = x', () => {
    fc.assert(
      fc.property(range, (ports) => {
        expect(parsePortRange(printPortRange(ports))).toEqual(ports);
      }),
    );
  });

  test('blocks are the range, in order, each of 2ⁿ ports from a multiple of 2ⁿ, and 30 at most', () => {
    const widest = fc.constantFrom({ first: 1, last: 65534 }, { first: 1, last: 65535 });
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: range }, { weight: 1, arbitrary: widest }), (ports) => {
        const blocks = alignedBlocks(ports);
        expect(blocks.at(0)?.first).toBe(ports.first);
        expect(blocks.at(-1)?.last).toBe(ports.last);
        for (const [index, block] of blocks.entries()) {
          expect(block.first % portCount(block)).toBe(0);
          expect(Math.log2(portCount(block)) % 1).toBe(0);
          if (index > 0) expect(block.first).toBe((blocks[index - 1]?.last ?? 0) + 1);
        }
        expect(blocks.length).toBeLessThanOrEqual(30);
      }),
    );
  });

  test('overlap and count agree with the ports themselves', () => {
    const small = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
    const members = ({ first, last }: { first: number; last: number }) =>
      new Set(Array.from({ length: 13 }, (_, port) => port).filter((port) => first <= port && port <= last));
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(portCount(a)).toBe(members(a).size);
        expect(portsOverlap(a, b)).toBe([...members(a)].some((port) => members(b).has(port)));
      }),
    );
  });

  test('any text at all is a range or an error of the catalogue', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearMiss), (text) => {
        const read = outcome(() => parsePortRange(text));
        if (read instanceof HatobaError) return read.code.startsWith('port_');
        return 1 <= read.first && read.first <= read.last && read.last <= 65535;
      }),
      { numRuns: 1000 },
    );
    expect(refusal(() => parsePortRange('1'.repeat(1_000_000))).code).toBe('port_malformed');
  });
});
