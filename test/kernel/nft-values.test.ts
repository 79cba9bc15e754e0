import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datatypesOf, readValue, sizeOf, writeValue } from '../../src/kernel/nft/nft-values.ts';
import { addressOf } from '../../src/model/address.ts';

/** nft's datatype.h, and one that we do not use: a mark. */
const [IPV4, IPV6, PROTOCOL, PORT, MARK, INTERFACE] = [7, 8, 12, 13, 19, 41];
const texts: Readonly<Record<number, fc.Arbitrary<string>>> = {
  [IPV4]: fc.ipV4(),
  [IPV6]: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => addressOf(6, value).text),
  [PROTOCOL]: fc.integer({ min: 0, max: 255 }).map(String),
  [PORT]: fc.oneof(
    fc.integer({ min: 0, max: 65_535 }).map(String),
    fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 })).map((ends) => ends.join('-')),
  ),
  [INTERFACE]: fc.stringMatching(/^[\w.@:+-]{1,15}$/),
  [MARK]: fc.integer({ min: 0, max: 0xffff_ffff }).map((mark) => `0x${mark.toString(16).padStart(8, '0')}`),
};
const value = fc
  .array(fc.constantFrom(IPV4, IPV6, PROTOCOL, PORT, MARK, INTERFACE), { minLength: 1, maxLength: 5 })
  .chain((types) =>
    fc
      .tuple(...types.map((type) => texts[type] ?? fc.constant('')))
      .map((parts) => ({ types, text: parts.join(' . ') })),
  );

describe('values of concatenations', () => {
  test('what is written is read', () => {
    fc.assert(
      fc.property(value, fc.nat(40), ({ types, text }, at) => {
        const data = Buffer.alloc(at + sizeOf(types));
        writeValue(text, types, data, at);
        expect(readValue(data.subarray(at), types)).toBe(text);
        expect(data.subarray(0, at)).toEqual(Buffer.alloc(at));
      }),
    );
  });

  test.each([
    [[IPV4, PROTOCOL, PORT], '192.0.2.255 . 6 . 443', 'c00002ff 06000000 01bb0000'],
    [[IPV4, PORT], '192.0.2.1 . 256-511', 'c0000201 010001ff'],
    [[IPV6, PORT], '2001:db8::1 . 1', '20010db8 00000000 00000000 00000001 00010000'],
  ])('%j: %s is %s, as the kernel has it', (types, text, hex) => {
    const data = Buffer.alloc(sizeOf(types));
    writeValue(text, types, data, 0);
    expect(data.toString('hex')).toBe(hex.replaceAll(' ', ''));
  });

  test('a port alone is two bytes', () => {
    expect(readValue(Buffer.from('01bb', 'hex'), [PORT])).toBe('443');
  });

  test.each([
    [IPV4, [IPV4]],
    [(IPV4 << 6) | PORT, [IPV4, PORT]],
    [(((IPV6 << 6) | PROTOCOL) << 6) | PORT, [IPV6, PROTOCOL, PORT]],
    [0, []],
  ])('number %i is of the types %j', (number, types) => {
    expect(datatypesOf(number)).toEqual(types);
  });
});
