import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGrowingIndex, indexIntervals } from '../../src/interchange/interval-index.ts';

const interval = fc
  .tuple(fc.bigInt(0n, 40n), fc.bigInt(0n, 12n))
  .map(([first, more]) => ({ first, last: first + more }));

test('finds what overlaps, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 30 }), interval, (intervals, wanted) => {
      const find = indexIntervals(intervals.map((each, index) => [each, index] as const));
      const growing = createGrowingIndex<number>();
      for (const [index, each] of intervals.entries()) growing.add(each, index);
      const overlapping = intervals.flatMap(({ first, last }, index) =>
        first <= wanted.last && wanted.first <= last ? [index] : [],
      );
      for (const found of [find(wanted), growing.find(wanted)]) {
        expect([...found].sort((a, b) => a - b)).toEqual(overlapping);
      }
    }),
  );
});

test('does not look at the others', () => {
  let looks = 0;
  const entries = Array.from({ length: 10_000 }, (_, at) => {
    const [first, last] = [BigInt(10 * at), BigInt(10 * at + 9)];
    const counted = {
      get first() {
        looks++;
        return first;
      },
      last,
    };
    return [counted, at] as const;
  });
  const find = indexIntervals(entries);
  looks = 0;
  expect(find({ first: 55_005n, last: 55_012n })).toEqual([5_500, 5_501]);
  expect(looks).toBeLessThan(50);
});
