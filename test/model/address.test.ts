import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import {
  type Address,
  addressOf,
  addressValue,
  parseAddress,
  parseAnyAddress,
  printEndpoint,
  sameAddress,
} from '../../src/model/address.ts';
import { HatobaError } from '../../src/model/errors.ts';
import { processorTime } from '../support/processor-time.ts';
import { nearMiss, usableIPv4Text, usableIPv6Text } from './arbitraries.ts';
import { outcome, refusal } from './refusal.ts';

const anyIPv4Value = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
const anyIPv6Text = fc.oneof(fc.ipV6(), usableIPv6Text);

describe('spellings', () => {
  test.each([
    ['192.168.50.11', 4, '192.168.50.11'],
    ['1.0.0.0', 4, '1.0.0.0'],
    ['223.255.255.255', 4, '223.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', 6, '2001:db8::1'],
    ['2001:0db8::0001', 6, '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', 6, '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', 6, '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', 6, '2001:db8::1:0:0:1'],
    ['2001:db8:1:2:3:4:5::', 6, '2001:db8:1:2:3:4:5:0'],
    ['fd00::192.0.2.1', 6, 'fd00::c000:201'],
    ['64:ff9b::192.0.2.1', 6, '64:ff9b::c000:201'],
  ])('%s is canonically %s %s', (text, family, canonical) => {
    expect(parseAddress(text)).toEqual({ family, text: canonical });
  });

  test.each([
    ['010.0.0.1', 'address_leading_zero'],
    ['10.0.0.01', 'address_leading_zero'],
    ['0177.0.0.1', 'address_leading_zero'],
    ['00.0.0.0', 'address_leading_zero'],
    ['fd00::010.0.0.1', 'address_leading_zero'],
    ['0x7f.1', 'address_not_dotted_quad'],
    ['0x7f.0.0.1', 'address_not_dotted_quad'],
    ['0X7F000001', 'address_not_dotted_quad'],
    ['127.1', 'address_not_dotted_quad'],
    ['2130706433', 'address_not_dotted_quad'],
    ['fd00::1.2', 'address_not_dotted_quad'],
    ['::ffff:1.2.3.4', 'address_ipv4_mapped'],
    ['::ffff:102:304', 'address_ipv4_mapped'],
    ['0:0:0:0:0:FFFF:1.2.3.4', 'address_ipv4_mapped'],
    ['fe80::1%eth0', 'address_zone'],
    ['0.0.0.0', 'address_unspecified'],
    ['0.1.2.3', 'address_unspecified'],
    ['::', 'address_unspecified'],
    ['127.0.0.1', 'address_loopback'],
    ['127.255.255.255', 'address_loopback'],
    ['::1', 'address_loopback'],
    ['169.254.169.254', 'address_link_local'],
    ['fe80::1', 'address_link_local'],
    ['febf:ffff::', 'address_link_local'],
    ['224.0.0.1', 'address_multicast'],
    ['239.255.255.255', 'address_multicast'],
    ['ff02::1', 'address_multicast'],
    ['255.255.255.255', 'address_broadcast'],
    ['240.0.0.1', 'address_reserved'],
    ['::2', 'address_reserved'],
    ['::1.2.3.4', 'address_reserved'],
    ['', 'address_malformed'],
    ['256.1.1.1', 'address_malformed'],
    ['1.2.3.4567', 'address_malformed'],
    ['1.2.3.4.5', 'address_malformed'],
    ['1.2.3.', 'address_malformed'],
    ['1..2.3', 'address_malformed'],
    ['+1.2.3.4', 'address_malformed'],
    ['-1.2.3.4', 'address_malformed'],
    ['1.2.3.4 ', 'address_malformed'],
    ['1.2.3.4\n', 'address_malformed'],
    ['１.2.3.4', 'address_malformed'],
    ['1e1.2.3.4', 'address_malformed'],
    ['router.example', 'address_malformed'],
    ['1.2.3.4:80', 'address_malformed'],
    ['[2001:db8::1]', 'address_malformed'],
    [':', 'address_malformed'],
    [':::', 'address_malformed'],
    [':1', 'address_malformed'],
    ['2001:db8::1::2', 'address_malformed'],
    ['2001:db8:::1', 'address_malformed'],
    ['1:2:3:4:5:6:7', 'address_malformed'],
    ['1:2:3:4:5:6:7:8:9', 'address_malformed'],
    ['1:2:3:4::5:6:7:8', 'address_malformed'],
    ['2001:db8::12345', 'address_malformed'],
    ['2001:db8::g', 'address_malformed'],
    ['1.2.3.4::', 'address_malformed'],
    ['1.2.3.4::1', 'address_malformed'],
    ['2001:db8::1.2.3.4:1', 'address_malformed'],
    ['1:2:3:4:5:6:7:1.2.3.4', 'address_malformed'],
  ])('%j is refused as %s', (text, code) => {
    const error = refusal(() => parseAddress(text));
    expect(error.code).toBe(code);
    expect(error.hint).not.toBe('');
  });

  test('messages quote the offending text, hints say what to write', () => {
    const error = refusal(() => parseAddress('::ffff:192.0.2.7'));
    expect(error.message).toContain('::ffff:192.0.2.7');
    expect(error.hint).toContain('192.0.2.7.');
    expect(refusal(() => parseAddress('010.0.0.1')).message).toContain('010.0.0.1');
  });
});

describe('against oracles', () => {
  test('IPv4: every dotted quad is read, and usable exactly where the IANA registry leaves it so', () => {
    const unusable = new BlockList();
    for (const [net, length] of [
      ['0.0.0.0', 8],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['224.0.0.0', 3],
    ] as const) {
      unusable.addSubnet(net, length);
    }
    const edges = fc.constantFrom(
      '0.255.255.255',
      '1.0.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
    );
    fc.assert(
      fc.property(fc.oneof(edges, fc.ipV4()), (text) => {
        expect(parseAnyAddress(text).family).toBe(4);
        expect(addressOf(4, parseAnyAddress(text).value).text).toBe(text);
        expect(outcome(() => parseAddress(text)) instanceof HatobaError).toBe(unusable.check(text, 'ipv4'));
      }),
      { numRuns: 1000 },
    );
  });

  test('IPv6: read like ipaddr.js, printed as RFC 5952 and the URL standard want it', () => {
    // ipaddr.js takes the deprecated ::192.0.2.1 (RFC 4291 §2.5.5.1) for ::ffff:192.0.2.1.
    const text = anyIPv6Text.filter((spelling) => !/^::\d+\./.test(spelling));
    fc.assert(
      fc.property(text, (spelling) => {
        const read = outcome(() => parseAnyAddress(spelling));
        if (read instanceof HatobaError) {
          expect(read.code).toBe('address_ipv4_mapped');
          return;
        }
        const oracle = ipaddr.IPv6.parse(spelling);
        expect(read.value).toBe(oracle.toByteArray().reduce((value, byte) => value * 256n + BigInt(byte), 0n));
        expect(addressOf(6, read.value).text).toBe(oracle.toRFC5952String());
        expect(`[${addressOf(6, read.value).text}]`).toBe(new URL(`http://[${spelling}]/`).hostname);
      }),
      { numRuns: 1000 },
    );
  });

  test('IPv6: usable exactly where neither special nor reserved', () => {
    const unusable = new BlockList();
    for (const [net, length] of [
      ['::', 96],
      ['::ffff:0:0', 96],
      ['fe80::', 10],
      ['ff00::', 8],
    ] as const) {
      unusable.addSubnet(net, length, 'ipv6');
    }
    const edges = fc.constantFrom(
      '::ffff',
      '::1:0:0',
      '::fffe:0:0',
      '::1:0:0:0',
      'fe7f::1',
      'fec0::1',
      'feff::1',
      'fe80::',
      'ff00::',
    );
    fc.assert(
      fc.property(fc.oneof(edges, anyIPv6Text), (text) => {
        const refused = outcome(() => parseAddress(text)) instanceof HatobaError;
        expect(refused).toBe(unusable.check(text, 'ipv6'));
      }),
      { numRuns: 1000 },
    );
  });

  test('what node:net does not take for an address is refused, what it does is read', () => {
    fc.assert(
      fc.property(fc.oneof(nearMiss, fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
        const read = outcome(() => parseAnyAddress(text));
        const refused = read instanceof HatobaError && read.code !== 'address_ipv4_mapped';
        expect(refused).toBe(isIP(text) === 0 || text.includes('%'));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('printing', () => {
  const usable = fc.oneof(usableIPv4Text, usableIPv6Text);

  test('parse(print(x)) = x, and equal addresses have equal text', () => {
    fc.assert(
      fc.property(usable, (text) => {
        const address = parseAddress(text);
        expect(parseAddress(address.text)).toEqual(address);
        expect(sameAddress(address, parseAddress(text.toLowerCase()))).toBe(true);
        expect(addressOf(address.family, addressValue(address))).toEqual(address);
      }),
    );
  });

  test('different values never share a text', () => {
    fc.assert(
      fc.property(anyIPv4Value, anyIPv4Value, (a, b) => sameAddress(addressOf(4, a), addressOf(4, b)) === (a === b)),
    );
  });

  test('endpoints carry brackets where the address has colons', () => {
    expect(printEndpoint('192.0.2.1', 80)).toBe('192.0.2.1:80');
    expect(printEndpoint('2001:db8::1', '80-90')).toBe('[2001:db8::1]:80-90');
    expect(printEndpoint('gateway', 5001)).toBe('gateway:5001');
  });

  test('an address is frozen', () => {
    expect(Object.isFrozen(parseAddress('192.0.2.1'))).toBe(true);
  });
});

describe('any text at all', () => {
  test('is an address or an error of the catalogue', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearMiss), (text) => {
        const read: Address | HatobaError = outcome(() => parseAddress(text));
        expect(read instanceof HatobaError ? read.code : read.text).toMatch(/^address_|^[\da-f.:]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['1', '0', '.', ':', '1.', '1:', '0x', 'a:', '::', '%', '\u0000', '\u202e', '1.2.3.4', '😀'])(
    'a megabyte of %j is refused in linear time',
    (unit) => {
      const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
      // Quadratic work would be 10^12 steps: minutes.
      expect(processorTime(() => refusal(() => parseAddress(text)))).toBeLessThan(10_000);
      expect(refusal(() => parseAddress(text)).message.length).toBeLessThan(1500);
    },
  );
});
