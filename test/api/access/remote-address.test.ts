import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { remoteKey } from '../../../src/api/access/remote-address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, 'gone'],
  ['127.0.0.1', null],
  ['::ffff:127.0.0.1', null],
  ['::1', null],
])('%s counts as %s', (address, key) => {
  expect(remoteKey(address)).toBe(key);
});

test('two addresses of IPv6 count as one where their first 64 bits are the same', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((all) => [0x20, ...all.slice(1)]);
  const sparse = bytes.map((all) => all.map((byte, index) => (index > 0 && byte < 160 ? 0 : byte)));
  fc.assert(
    fc.property(fc.oneof(bytes, sparse), bytes, fc.boolean(), (a, b, sameNetwork) => {
      const other = sameNetwork ? [...a.slice(0, 8), ...b.slice(8)] : b;
      const text = (address: readonly number[]) => ipaddr.fromByteArray([...address]).toString();
      const isSame = a.slice(0, 8).every((byte, index) => byte === other[index]);
      expect(remoteKey(text(a)) === remoteKey(text(other))).toBe(isSame);
    }),
  );
});
