import { expect, test } from 'vitest';
import { displayWidth, padding, visible } from '../../../src/cli/output/text.ts';

test.each([
  ['', 0],
  ['web', 3],
  ['波止場', 6],
  ['ﾊﾄﾊﾞ', 4],
  ['ＷＥＢ', 6],
  ['한글', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['👍', 2],
  ['𠮷野家', 6],
  ['→', 1],
])('%s is as wide as a terminal shows it', (text, width) => {
  expect(displayWidth(text)).toBe(width);
  expect(padding(8, text)).toHaveLength(8 - width);
});

test('a text that is too wide is not padded', () => {
  expect(padding(2, 'web')).toBe('');
});

test('nothing that steers a terminal passes', () => {
  expect(visible('a\u001b[31m\r\n\t\u0007\u009b\u202e\u2028\u{e0001}b')).toBe(
    'a\\u001b[31m\\u000d\\u000a\\u0009\\u0007\\u009b\\u202e\\u2028\\udb40\\udc01b',
  );
  expect(visible('波止場 é 👍')).toBe('波止場 é 👍');
});
