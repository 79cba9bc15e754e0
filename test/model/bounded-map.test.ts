import { expect, test } from 'vitest';
import { forgetOldest } from '../../src/model/bounded-map.ts';

function mapOf(...keys: readonly number[]): Map<string, number> {
  return new Map(keys.map((key) => [String(key), key]));
}

test.each([
  [[1, 2, 3], 3, [1, 2, 3]],
  [[1, 2, 3], 2, [2, 3]],
  [[3, 1, 2], 2, [1, 2]],
  [Array.from({ length: 21 }, (_, index) => index), 20, Array.from({ length: 19 }, (_, index) => index + 2)],
])('of %j, where %i may be, stay %j', (keys, most, left) => {
  const map = mapOf(...keys);
  forgetOldest(map, most);
  expect([...map.values()]).toEqual(left);
});

test('a full map stays quick', () => {
  const map = new Map<string, number>();
  let looked = 0;
  const counted = new Proxy(map, {
    get(target, key) {
      if (key === 'keys') looked++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  for (let key = 0; key < 20_000; key++) {
    map.set(String(key), key);
    forgetOldest(counted, 10_000);
  }
  expect(looked).toBe(10);
});
