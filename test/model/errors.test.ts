import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HatobaError, hatobaError, inField, reasonOf } from '../../src/model/errors.ts';

const messageFor = (value: string) => hatobaError('forward_not_found', { value }).message;

test('an error carries what the catalogue says of its code', () => {
  const cause = new Error('deeper');
  const error = hatobaError(
    'cidr_host_bits',
    { value: '10.0.0.1/8', network: '10.0.0.0/8' },
    { field: 'sources', cause },
  );
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'HatobaError',
    code: 'cidr_host_bits',
    message: '10.0.0.1/8 has bits set behind its prefix length',
    hint: 'Did you mean 10.0.0.0/8?',
    field: 'sources',
    status: 400,
    exit: 2,
    cause,
  });
});

describe('quoted values', () => {
  test.each([
    ['', '""'],
    ['a\nb', 'a\\u000ab'],
    ['\u001b[2J', '\\u001b[2J'],
    ['a\u202eb', 'a\\u202eb'],
    ['\u2028', '\\u2028'],
    ['\ud83d', '\\ud83d'],
    ['\u{e0041}', '\\u{e0041}'],
    ['波止場😀', '波止場😀'],
    ['{code} $& $1', '{code} $& $1'],
    ['x'.repeat(121), `${'x'.repeat(120)}…`],
    [`${'x'.repeat(119)}😀`, `${'x'.repeat(119)}\\ud83d…`],
  ])('%j is shown as %s', (value, shown) => {
    expect(messageFor(value)).toBe(`there is no forward ${shown}`);
  });

  test('are short, printable and well-formed, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (value) => {
        const message = messageFor(value);
        expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(message.isWellFormed()).toBe(true);
        expect(message.length).toBeLessThan(1200);
      }),
    );
  });
});

test('a field can be added to an error of the catalogue, and to nothing else', () => {
  const cause = new Error('deeper');
  const error = hatobaError('port_malformed', { value: 'x' }, { cause });
  const placed = inField('external_port', error);
  expect(placed).toBeInstanceOf(HatobaError);
  expect(placed).toMatchObject({
    code: error.code,
    message: error.message,
    hint: error.hint,
    field: 'external_port',
    cause,
  });
  const other = new TypeError('bug');
  expect(inField('external_port', other)).toBe(other);
});

test('anything thrown has a reason', () => {
  expect(reasonOf(new Error('why'))).toBe('why');
  expect(reasonOf('why')).toBe('why');
  expect(reasonOf(undefined)).toBe('undefined');
});
