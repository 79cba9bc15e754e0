import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUsable, preferred } from '../../../src/dataplane/linux/address-preference.ts';
import { type AddressFlag, addressFlags, type InterfaceAddress } from '../../../src/kernel/netlink/rtnetlink.ts';
import { parseAddress } from '../../../src/model/address.ts';

/** `192.0.2.1/24`, and what `ip address` says behind it. */
function address(text: string, flags: readonly AddressFlag[] = [], scope = 0): InterfaceAddress {
  const [bare = '', length] = text.split('/');
  return { address: parseAddress(bare), prefixLength: Number(length), scope, flags };
}

const PREFERRED: readonly (readonly AddressFlag[])[] = [
  [],
  ['permanent'],
  ['nodad'],
  ['noprefixroute'],
  ['home'],
  ['mngtmpaddr'],
  ['autojoin'],
  ['stable-privacy'],
  ['home', 'mngtmpaddr', 'nodad', 'noprefixroute', 'permanent'],
];

/** From the best to the worst: of each two, the first is preferred. */
const ORDER: Readonly<Record<4 | 6, readonly InterfaceAddress[]>> = {
  4: [
    address('192.0.2.1/24', ['permanent']),
    address('192.0.2.2/24', ['secondary', 'permanent']),
    address('192.0.2.3/32', ['permanent']),
    address('192.0.2.4/32', ['secondary', 'noprefixroute']),
    address('192.0.2.5/24', ['deprecated', 'permanent']),
    address('192.0.2.6/24', ['secondary', 'deprecated']),
    address('192.0.2.7/32', ['deprecated']),
  ],
  6: [
    address('2001:db8::1/64', ['permanent']),
    address('2001:db8::2/64', ['temporary']),
    address('2001:db8::3/128', ['nodad', 'permanent']),
    address('2001:db8::5/64', ['deprecated', 'mngtmpaddr']),
    address('2001:db8::6/64', ['temporary', 'deprecated']),
    address('2001:db8::7/128', ['deprecated', 'nodad']),
    address('2001:db8::8/64', ['optimistic', 'tentative']),
    address('2001:db8::9/64', ['optimistic', 'deprecated', 'tentative']),
  ],
};

const UNUSABLE: readonly InterfaceAddress[] = [
  address('2001:db8::1/64', ['tentative']),
  address('2001:db8::1/64', ['tentative', 'permanent']),
  address('2001:db8::1/64', ['tentative', 'dadfailed']),
  address('2001:db8::1/64', ['dadfailed', 'permanent']),
  address('2001:db8::1/64', ['tentative', 'optimistic', 'dadfailed']),
  address('192.0.2.1/24', [], 200),
  address('192.0.2.1/24', ['permanent'], 253),
  address('192.0.2.1/24', ['permanent'], 254),
];

test.each(PREFERRED)('nothing is against an address with the flags %s, %s, %s, %s, %s', (...flags) => {
  const plain = address('2001:db8::1/64');
  const flagged = address(
    '2001:db8::2/64',
    flags.filter((flag) => flag !== undefined),
  );
  expect(isUsable(flagged)).toBe(true);
  expect(preferred([plain, flagged])).toBe(plain);
  expect(preferred([flagged, plain])).toBe(flagged);
});

describe.each([4, 6] as const)('by IPv%i', (family) => {
  const order = ORDER[family];

  test('the better address is preferred, wherever it is', () => {
    for (const [index, better] of order.entries()) {
      expect(isUsable(better)).toBe(true);
      for (const worse of order.slice(index + 1)) {
        expect(preferred([better, worse])).toBe(better);
        expect(preferred([worse, better])).toBe(better);
      }
    }
  });

  test('each is the last choice, and not none', () => {
    for (const alone of order) expect(preferred([...UNUSABLE, alone, ...UNUSABLE])).toBe(alone);
  });
});

test('what cannot be reached is never preferred', () => {
  for (const one of UNUSABLE) expect([isUsable(one), preferred([one])]).toEqual([false, undefined]);
  expect(preferred([])).toBeUndefined();
});

test('whatever flags there are, some usable address is preferred where there is one, and none beats it', () => {
  const some = fc
    .record({ bits: fc.integer({ min: 0, max: 0xfff }), host: fc.boolean(), scope: fc.constantFrom(0, 0, 253) })
    .map(({ bits, host, scope }) => address(`2001:db8::1/${host ? 128 : 64}`, addressFlags(bits, 6), scope));
  fc.assert(
    fc.property(fc.array(some), (addresses) => {
      const best = preferred(addresses);
      expect(best === undefined).toBe(!addresses.some(isUsable));
      for (const other of addresses.filter(isUsable)) expect(preferred([best ?? other, other])).toBe(best);
    }),
  );
});

test('flags are read from the bits of linux/if_addr.h', () => {
  expect(addressFlags(0, 4)).toEqual([]);
  expect(addressFlags(0x01, 4)).toEqual(['secondary']);
  expect(addressFlags(0x01, 6)).toEqual(['temporary']);
  expect(addressFlags(0x20 | 0x80, 4)).toEqual(['deprecated', 'permanent']);
  expect(addressFlags(0xffff_f000, 6)).toEqual([]);
  expect(addressFlags(0xfff, 6)).toHaveLength(12);
});
