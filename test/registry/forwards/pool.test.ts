import { expect, test } from 'vitest';
import { createPool } from '../../../src/registry/forwards/pool.ts';

const pair = (port: number) => ({ first: port, last: port });
const keyOf = ({ first, last }: ReturnType<typeof pair>) => `${first}-${last}`;

test('equal values are one, others are not', () => {
  const pool = createPool(keyOf);
  const first = pair(1);
  expect(pool(first)).toBe(first);
  expect(pool(pair(1))).toBe(first);
  expect(pool(pair(2))).toEqual(pair(2));
});

test('what is asked for now and then is known, what has long gone is not', () => {
  const pool = createPool(keyOf);
  const used = pool(pair(1));
  pool(pair(2));
  for (let port = 3; port < 100_000; port++) {
    pool(pair(port));
    if (port % 5_000 === 0) expect(pool(pair(1))).toBe(used);
  }
  const again = pair(2);
  expect(pool(again)).toBe(again);
});
