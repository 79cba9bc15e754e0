import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createExpiringMap } from '../../src/openstack/expiring-map.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a value is there until its time', () => {
  const map = createExpiringMap<string>(10);
  map.set('k', 'v', performance.now() + 1_000);
  vi.advanceTimersByTime(999);
  expect(map.get('k')).toBe('v');
  vi.advanceTimersByTime(1);
  expect(map.get('k')).toBeUndefined();
});

test('null is a value', () => {
  const map = createExpiringMap<null>(10);
  map.set('k', null, performance.now() + 1_000);
  expect(map.get('k')).toBeNull();
});

test('what has been set again counts as young', () => {
  const map = createExpiringMap<number>(2);
  const until = performance.now() + 1_000;
  map.set('a', 1, until);
  map.set('b', 2, until);
  map.set('a', 3, until);
  map.set('c', 4, until);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
});
