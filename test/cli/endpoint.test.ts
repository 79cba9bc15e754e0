import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitExternal, splitInternal } from '../../src/cli/endpoint.ts';
import { printEndpoint } from '../../src/model/address.ts';
import { HatobaError } from '../../src/model/errors.ts';

describe('outside', () => {
  test.each([
    ['5001', null, '5001'],
    ['5001-5010', null, '5001-5010'],
    ['192.0.2.1:80', '192.0.2.1', '80'],
    ['[2001:db8::1]:80', '2001:db8::1', '80'],
    ['gateway:80', 'gateway', '80'],
    ['[2001:db8::1]', '2001:db8::1', null],
    ['192.0.2.1:', '192.0.2.1', ''],
    [':80', '', '80'],
    ['', null, ''],
  ])('%s', (text, address, port) => {
    expect(splitExternal(text)).toEqual({ address, port });
  });
});

describe('inside', () => {
  test.each([
    ['192.168.50.11', '192.168.50.11', null],
    ['192.168.50.11:22', '192.168.50.11', '22'],
    ['[fd00::53]', 'fd00::53', null],
    ['[fd00::53]:53', 'fd00::53', '53'],
  ])('%s', (text, address, port) => {
    expect(splitInternal(text)).toEqual({ address, port });
  });
});

test.each(['2001:db8::1:80', '::1', 'a:b:c', '[::1', '::1]:80', '[::1]80', '[[::1]]:80', '[::1]:80:90', '1[2]:3'])(
  'what may mean two things is refused: %s',
  (text) => {
    for (const split of [splitExternal, splitInternal]) {
      expect(() => split(text)).toThrow(expect.objectContaining({ code: 'usage_malformed' }));
    }
  },
);

test('what is printed is split into the same halves', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), (address, port) => {
      const endpoint = { address, port: String(port) };
      expect(splitExternal(printEndpoint(address, port))).toEqual(endpoint);
      expect(splitInternal(printEndpoint(address, port))).toEqual(endpoint);
    }),
  );
});

test('any text is split without loss, or refused', () => {
  const texts = fc.string({ unit: fc.constantFrom('[', ']', ':', '.', '-', '1', 'a', ' ', '☃') });
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { address, port } = splitInternal(text);
        expect(text.replaceAll(/[[\]]/g, '')).toBe(port === null ? address : `${address}:${port}`);
      } catch (error) {
        if (!(error instanceof HatobaError)) throw error;
        expect(error.code).toBe('usage_malformed');
      }
    }),
  );
});
