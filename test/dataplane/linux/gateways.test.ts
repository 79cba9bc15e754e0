import { expect, test } from 'vitest';
import { gatewaysOf, outsideAddressesOf, sameGateways } from '../../../src/dataplane/linux/gateways.ts';
import type { AddressFlag, Interface, InterfaceAddress } from '../../../src/kernel/netlink/rtnetlink.ts';
import { parseAddress } from '../../../src/model/address.ts';

/** `192.0.2.1/24`, and the kernel's flags. */
function address(text: string, ...flags: readonly AddressFlag[]): InterfaceAddress {
  const [bare = '', length] = text.split('/');
  return { address: parseAddress(bare), prefixLength: Number(length), scope: 0, flags };
}

function link(name: string, ...addresses: readonly InterfaceAddress[]): Interface {
  return { name, up: true, isBridge: false, addresses };
}

function found(...interfaces: readonly Interface[]): readonly (string | undefined)[] {
  const gateways = gatewaysOf({ interfaces, defaultRoutes: [] }, { outside: ['qg-', 'ext'] });
  return [gateways[4]?.text, gateways[6]?.text];
}

test.each<[string, readonly Interface[], readonly (string | undefined)[]]>([
  ['no interface', [], [undefined, undefined]],
  ['one without addresses', [link('qg-1')], [undefined, undefined]],
  ['both families', [link('qg-1', address('192.0.2.1/24'), address('2001:db8::1/64'))], ['192.0.2.1', '2001:db8::1']],
  ['any of the beginnings', [link('ext0', address('192.0.2.1/24'))], ['192.0.2.1', undefined]],
  [
    'interfaces that lead inside or nowhere',
    [link('qr-1', address('10.0.0.1/24')), link('xqg-1', address('10.0.0.2/24'))],
    [undefined, undefined],
  ],
  [
    'a floating IP before it',
    [link('qg-1', address('192.0.2.9/32'), address('192.0.2.1/24'))],
    ['192.0.2.1', undefined],
  ],
  [
    'floating IPs alone: the first',
    [link('qg-1', address('192.0.2.9/32'), address('192.0.2.8/32'))],
    ['192.0.2.9', undefined],
  ],
  [
    'a second address of the subnet',
    [link('qg-1', address('192.0.2.2/24', 'secondary'), address('192.0.2.1/24'))],
    ['192.0.2.1', undefined],
  ],
  [
    'a second address and a floating IP',
    [link('qg-1', address('192.0.2.9/32'), address('192.0.2.2/24', 'secondary'))],
    ['192.0.2.2', undefined],
  ],
  ['an IPv6 address that is tentative', [link('qg-1', address('2001:db8::1/64', 'tentative'))], [undefined, undefined]],
  [
    'a usable one behind it',
    [link('qg-1', address('2001:db8::1/64', 'tentative'), address('2001:db8::2/64'))],
    [undefined, '2001:db8::2'],
  ],
  [
    'deprecated addresses alone, as keepalived sets its virtual ones',
    [link('qg-1', address('192.0.2.9/32', 'deprecated'), address('2001:db8::9/128', 'deprecated'))],
    ['192.0.2.9', '2001:db8::9'],
  ],
  [
    'a deprecated one before others, and on another interface',
    [
      link('qg-1', address('192.0.2.9/24', 'deprecated'), address('2001:db8::9/64', 'deprecated')),
      link('qg-2', address('192.0.2.1/32'), address('2001:db8::1/64', 'temporary')),
    ],
    ['192.0.2.1', '2001:db8::1'],
  ],
  [
    'IPv6 of the longest prefix',
    [link('qg-1', address('2001:db8::9/128'), address('2001:db8::1/64'))],
    [undefined, '2001:db8::1'],
  ],
  [
    'two outside interfaces: the first',
    [link('qg-1', address('192.0.2.1/24')), link('qg-2', address('198.51.100.1/24'))],
    ['192.0.2.1', undefined],
  ],
  [
    'the second, where the first has a floating IP only',
    [link('qg-1', address('192.0.2.9/32')), link('qg-2', address('198.51.100.1/24'))],
    ['198.51.100.1', undefined],
  ],
])('%s', (_, interfaces, expected) => {
  expect(found(...interfaces)).toEqual(expected);
});

test('gateways are the same when both families are', () => {
  const [a, b] = [parseAddress('192.0.2.1'), parseAddress('192.0.2.2')];
  const v6 = parseAddress('2001:db8::1');
  expect(sameGateways({ 4: a, 6: v6 }, { 6: v6, 4: parseAddress('192.0.2.1') })).toBe(true);
  expect(sameGateways({}, {})).toBe(true);
  expect(sameGateways({ 4: a }, { 4: b })).toBe(false);
  expect(sameGateways({ 4: a }, {})).toBe(false);
  expect(sameGateways({ 4: a }, { 4: a, 6: v6 })).toBe(false);
});

test('where such addresses are Neutron’s floating IPs, they are never the gateway', () => {
  const floating = [
    address('192.0.2.9/32'),
    address('192.0.2.8/32', 'deprecated'),
    address('2001:db8::9/128'),
    address('2001:db8::8/128', 'deprecated'),
  ];
  const sides = { outside: ['qg-'], floatingIps: true };
  expect(gatewaysOf({ interfaces: [link('qg-1', ...floating)], defaultRoutes: [] }, sides)).toEqual({});
  expect(
    gatewaysOf({ interfaces: [link('qg-1', ...floating, address('192.0.2.1/24'))], defaultRoutes: [] }, sides)[4]?.text,
  ).toBe('192.0.2.1');
});

test('a deprecated address that is not of the longest prefix is the gateway also there', () => {
  const addresses = [address('192.0.2.9/32'), address('192.0.2.1/24', 'deprecated')];
  const sides = { outside: ['qg-'], floatingIps: true };
  expect(gatewaysOf({ interfaces: [link('qg-1', ...addresses)], defaultRoutes: [] }, sides)[4]?.text).toBe('192.0.2.1');
});

test('all addresses at which it can be reached from outside, floating IPs and deprecated ones among them', () => {
  const interfaces = [
    link('qg-1', address('192.0.2.1/24'), address('192.0.2.9/32'), address('2001:db8::1/64', 'tentative')),
    link('qr-1', address('10.0.0.1/24')),
    link('ext0', address('198.51.100.1/24', 'deprecated'), address('2001:db8:1::1/64')),
  ];
  const addresses = outsideAddressesOf({ interfaces, defaultRoutes: [] }, { outside: ['qg-', 'ext'] });
  expect(addresses.map((one) => `${one.interface} ${one.address.text}`)).toEqual([
    'qg-1 192.0.2.1',
    'qg-1 192.0.2.9',
    'ext0 198.51.100.1',
    'ext0 2001:db8:1::1',
  ]);
});
