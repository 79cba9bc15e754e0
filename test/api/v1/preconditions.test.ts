import { expect, test } from 'vitest';
import { expectedRevision } from '../../../src/api/v1/preconditions.ts';
import { processorTime } from '../../support/processor-time.ts';

const FORWARD = { id: '9a8b7c6d-0000-4000-8000-000000000001', revision: 5 };

test.each(['"5"', '5', '"4", "5"', '"5","6"', '"a,b" , "5"', 'W/"5", "5"', '"4",, "5",'])('%s is met', (text) => {
  expect(expectedRevision(text, FORWARD)).toBe(5);
});

test.each([undefined, '*'])('%s is met by any', (text) => {
  expect(expectedRevision(text, FORWARD)).toBeUndefined();
});

test.each(['"4"', '4', '"4", "6"', '"abc"', '""', 'W/"5"', '"05"', '"5,"', '"99999999999999999999"'])(
  '%s fails',
  (text) => {
    expect(() => expectedRevision(text, FORWARD)).toThrow(expect.objectContaining({ code: 'revision_mismatch' }));
  },
);

test.each(['', ',', '"5', '5"', '4, 5', '"5" "6"', 'w/"5"', '"5", *', '" "'])('%j is not understood', (text) => {
  expect(() => expectedRevision(text, FORWARD)).toThrow(expect.objectContaining({ code: 'request_malformed' }));
});

test('a long list is read in linear time', () => {
  const read = () => expectedRevision(`"4"${', \t'.repeat(100_000)}x`, FORWARD);
  // Quadratic work would be 10^11 steps: minutes.
  expect(processorTime(() => expect(read).toThrow('several of them'))).toBeLessThan(10_000);
});
