import { expect, test } from 'vitest';
import { createAvailability } from '../../../src/openstack/neutron/availability.ts';

test('tells when trouble begins, and when it has been over for a while', () => {
  let now = 0;
  const told: unknown[] = [];
  const availability = createAvailability(
    (trouble) => told.push(trouble),
    () => now,
  );
  const is = (at: number, what: unknown) => {
    now = at;
    if (what === null) availability.worked();
    else availability.failed(what);
    return told.splice(0);
  };
  expect(is(0, null)).toEqual([]);
  expect(is(1, 'away')).toEqual(['away']);
  expect(is(2, 'silent')).toEqual([]);
  expect(is(10_001, null)).toEqual([]);
  expect(is(10_002, null)).toEqual([null]);
  expect(is(10_003, null)).toEqual([]);
  expect(is(10_004, 'away')).toEqual(['away']);
});
