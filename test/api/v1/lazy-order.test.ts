import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder } from '../../../src/api/v1/lazy-order.ts';

const byKey = (a: { key: number }, b: { key: number }) => a.key - b.key;

test('the items come as sorting gives them', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 50 }), (keys) => {
      const items = keys.map((key) => ({ key }));
      const sorted = [...inOrder(items, byKey)].map(({ key }) => key);
      expect(sorted).toEqual(keys.toSorted((a, b) => a - b));
      expect(items.map(({ key }) => key)).toEqual(keys);
    }),
  );
});

test('the first few of many take about two comparisons for each', () => {
  const items = Array.from({ length: 50_000 }, (_, index) => ({ key: (index * 7919) % 50_000 }));
  let comparisons = 0;
  const ordered = inOrder(items, (a, b) => {
    comparisons += 1;
    return byKey(a, b);
  });
  expect([...ordered.take(10)].map(({ key }) => key)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(comparisons).toBeLessThan(2.1 * items.length);
});
