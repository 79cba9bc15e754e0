import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTime, printTime } from '../../src/model/time.ts';
import { outcome, refusal } from './refusal.ts';

test.each([
  ['2026-12-24T18:30:00Z', '2026-12-24T18:30:00.000Z'],
  ['2026-12-24T18:30:00.5Z', '2026-12-24T18:30:00.500Z'],
  ['2026-12-24T18:30:00.123456789Z', '2026-12-24T18:30:00.123Z'],
  ['2026-12-25T03:30:00+09:00', '2026-12-24T18:30:00.000Z'],
  ['2026-12-24T15:00:00.25-03:30', '2026-12-24T18:30:00.250Z'],
  ['2026-12-24T18:30:00-00:00', '2026-12-24T18:30:00.000Z'],
  ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59.000Z'],
  ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, utc) => {
  expect(parseTime(text)).toBe(utc);
});

test.each(
  [
    ['', '2h', 'tomorrow', '2026', '2026-12-24', '1798137000', '2026-12-24T18:30:00', '2026-12-24T18:30Z'],
    ['2026-12-24 18:30:00Z', '2026-12-24t18:30:00z', '2026-12-24T18:30:00+0900', '2026-12-24T18:30:00+09'],
    ['2026-12-24T18:30:00.Z', '2026-12-24T18:30:00.1234567890Z', '2026-12-24T18:30:00,5Z', ' 2026-12-24T18:30:00Z'],
    ['2026-12-24T18:30:00Z\n', '+02026-12-24T18:30:00Z', '20261-12-24T18:30:00Z', '２026-12-24T18:30:00Z'],
    // Days, hours, seconds and zones that there are none of; leap seconds are not known to clocks.
    [
      '2026-02-29T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-00-01T00:00:00Z',
    ],
    ['2026-12-00T00:00:00Z', '2026-12-24T24:00:00Z', '2026-12-24T18:60:00Z', '2016-12-31T23:59:60Z'],
    [
      '2026-12-24T18:30:00+24:00',
      '2026-12-24T18:30:00+09:60',
      '0000-01-01T00:00:00+00:01',
      '9999-12-31T23:59:59-00:01',
    ],
  ].flat(),
)('%j is none', (text) => {
  expect(refusal(() => parseTime(text))).toMatchObject({ code: 'time_malformed' });
});

/** All that have four digits for the year. */
const time = fc.integer({ min: Date.parse('0000-01-02T00:00:00Z'), max: Date.parse('9999-12-30T00:00:00Z') });

describe('properties', () => {
  test('what is printed is read as it is', () => {
    fc.assert(
      fc.property(time, (each) => {
        expect(parseTime(printTime(each))).toBe(printTime(each));
      }),
    );
  });

  test('the time zone does not matter', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: -1439, max: 1439 }), (each, offset) => {
        const local = printTime(each + offset * 60_000).slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const zone = `${offset < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
        expect(parseTime(local + zone)).toBe(printTime(each));
      }),
    );
  });

  test('texts sort as times do', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(printTime(a) < printTime(b)).toBe(a < b);
      }),
    );
  });

  test('any text at all is a time or an error of the catalogue', () => {
    const text = fc.stringMatching(/^[0-9T:.Z+-]{0,30}$/);
    const near = fc.tuple(fc.constantFrom('2026-12-', ''), text).map((parts) => parts.join(''));
    fc.assert(fc.property(near, (each) => void outcome(() => parseTime(each))));
  });
});
