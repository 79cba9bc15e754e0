import { describe, expect, test } from 'vitest';
import { parseTcpAddress, printTcpAddress } from '../../../src/api/listen/tcp-address.ts';

describe('a TCP address', () => {
  test.each([
    ['127.0.0.1:9797', { host: '127.0.0.1', port: 9797 }],
    ['0.0.0.0:1', { host: '0.0.0.0', port: 1 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['[2001:db8::5]:65535', { host: '2001:db8::5', port: 65_535 }],
    ['localhost:9797', { host: 'localhost', port: 9797 }],
  ])('%s', (text, expected) => {
    expect(parseTcpAddress(text)).toEqual(expected);
    expect(printTcpAddress(parseTcpAddress(text))).toBe(text);
  });

  test.each([
    '',
    '9797',
    ':9797',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.1:80',
    '::1:9797',
    '[127.0.0.1]:80',
    '[::1]',
    'example.org:80',
    'localhost:80/x',
    ' 127.0.0.1:80',
  ])('%j is refused', (text) => {
    expect(() => parseTcpAddress(text)).toThrow(expect.objectContaining({ code: 'listen_malformed' }));
  });
});
