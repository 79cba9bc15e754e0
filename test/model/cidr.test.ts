import { BlockList } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/model/address.ts';
import { cidrsOverlap, parseCidr } from '../../src/model/cidr.ts';
import { HatobaError } from '../../src/model/errors.ts';
import { nearMiss, network } from './arbitraries.ts';
import { outcome, refusal } from './refusal.ts';

describe('spellings', () => {
  test.each([
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::/0', '::/0'],
  ])('%s is canonically %s', (text, canonical) => {
    expect(parseCidr(text).text).toBe(canonical);
  });

  test.each([
    ['203.0.113.0/', 'cidr_malformed'],
    ['203.0.113.0/33', 'cidr_malformed'],
    ['203.0.113.0/-1', 'cidr_malformed'],
    ['203.0.113.0/024', 'cidr_malformed'],
    ['203.0.113.0/24/24', 'cidr_malformed'],
    ['203.0.113.0/255.255.255.0', 'cidr_malformed'],
    ['203.0.113.0/1e1', 'cidr_malformed'],
    ['2001:db8::/129', 'cidr_malformed'],
    ['203.0.113.1/24', 'cidr_host_bits'],
    ['2001:db8::1/32', 'cidr_host_bits'],
    ['203.0.113/24', 'address_not_dotted_quad'],
    ['010.0.0.0/8', 'address_leading_zero'],
    ['::ffff:10.0.0.0/104', 'address_ipv4_mapped'],
    ['fe80::%eth0/64', 'address_zone'],
    ['/24', 'address_malformed'],
    ['', 'address_malformed'],
  ])('%j is refused as %s', (text, code) => {
    expect(refusal(() => parseCidr(text)).code).toBe(code);
  });

  test('the hint for bits behind the prefix names the network that was meant', () => {
    const error = refusal(() => parseCidr('203.0.113.77/24'));
    expect(error.message).toContain('203.0.113.77/24');
    expect(error.hint).toContain('203.0.113.0/24');
  });
});

describe('against oracles', () => {
  test('first and last are the bounds that ipaddr.js computes', () => {
    fc.assert(
      fc.property(network(4), (text) => {
        const cidr = parseCidr(text);
        expect(addressOf(4, cidr.first).text).toBe(ipaddr.IPv4.networkAddressFromCIDR(text).toString());
        expect(addressOf(4, cidr.last).text).toBe(ipaddr.IPv4.broadcastAddressFromCIDR(text).toString());
      }),
    );
    fc.assert(
      fc.property(network(6), (text) => {
        const cidr = parseCidr(text);
        expect(addressOf(6, cidr.first).text).toBe(ipaddr.IPv6.networkAddressFromCIDR(text).toRFC5952String());
        expect(addressOf(6, cidr.last).text).toBe(ipaddr.IPv6.broadcastAddressFromCIDR(text).toRFC5952String());
      }),
    );
  });

  test('two networks overlap exactly if one holds the other’s first address', () => {
    const near = fc
      .record({ bits: fc.nat(15), length: fc.integer({ min: 28, max: 32 }) })
      .map(({ bits, length }) => `10.0.0.${(bits >> (32 - length)) << (32 - length)}/${length}`);
    const holds = (net: string, address: string) => {
      const [base = '', length = ''] = net.split('/');
      const list = new BlockList();
      list.addSubnet(base, Number(length));
      return list.check(address);
    };
    const baseOf = (net: string) => net.split('/')[0] ?? '';
    fc.assert(
      fc.property(near, near, (a, b) => {
        const expected = holds(a, baseOf(b)) || holds(b, baseOf(a));
        expect(cidrsOverlap(parseCidr(a), parseCidr(b))).toBe(expected);
        expect(cidrsOverlap(parseCidr(b), parseCidr(a))).toBe(expected);
      }),
    );
  });

  test('networks of different families never overlap', () => {
    expect(cidrsOverlap(parseCidr('0.0.0.0/0'), parseCidr('::/0'))).toBe(false);
  });
});

test('parse(print(x)) = x', () => {
  fc.assert(
    fc.property(fc.oneof(network(4), network(6)), (text) => {
      const cidr = parseCidr(text);
      expect(parseCidr(cidr.text)).toEqual(cidr);
      expect(Object.isFrozen(cidr)).toBe(true);
    }),
  );
});

test('any text at all is a network or an error of the catalogue', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearMiss), (text) => {
      const read = outcome(() => parseCidr(text));
      expect(read instanceof HatobaError ? read.code : read.text).toMatch(/^address_|^cidr_|^[\da-f.:]+\/\d+$/);
    }),
    { numRuns: 1000 },
  );
});
