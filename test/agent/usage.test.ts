import { expect, test } from 'vitest';
import { createUsage } from '../../src/agent/usage.ts';

const counted = (connections: number, packets = 0) => ({
  connections,
  in: { packets, bytes: 100 * packets },
  out: { packets: 0, bytes: 0 },
});

test('a forward was last used when its counters were first seen as they are', () => {
  const usage = createUsage();
  expect(usage.note('a', counted(5), 1000)).toBeNull();
  expect(usage.note('a', counted(5), 2000)).toBeNull();
  expect(usage.note('a', counted(6), 3000)).toBe(3000);
  expect(usage.note('a', counted(6), 4000)).toBe(3000);
  expect(usage.note('a', counted(6, 1), 5000)).toBe(5000);
  expect(usage.note('b', counted(0), 6000)).toBeNull();
  usage.forget('a');
  expect(usage.note('a', counted(7), 7000)).toBeNull();
});
