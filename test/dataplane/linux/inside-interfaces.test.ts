import { describe, expect, test } from 'vitest';
import { describeInside, type InsideInterface, sameInside } from '../../../src/dataplane/linux/inside-interfaces.ts';
import { insideInterfaces } from '../../../src/dataplane/linux/sides.ts';
import type { AddressFlag, Interface } from '../../../src/kernel/netlink/rtnetlink.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { parseCidr } from '../../../src/model/cidr.ts';

function link(name: string, addresses: Readonly<Record<string, readonly AddressFlag[]>> = {}): Interface {
  return {
    name,
    up: true,
    isBridge: name.startsWith('br-'),
    addresses: Object.entries(addresses).map(([text, flags]) => {
      const [bare = '', length] = text.split('/');
      return { address: parseAddress(bare), prefixLength: Number(length), scope: 0, flags };
    }),
  };
}

const INTERFACES = [
  link('lo'),
  link('qg-1', { '192.0.2.1/24': [] }),
  link('qr-2', { '10.0.0.1/24': [], '10.0.0.2/24': ['secondary'], 'fd00::1/64': [] }),
  link('qr-1', { '10.9.0.1/32': ['deprecated'], 'fd00:9::1/64': ['tentative', 'dadfailed'] }),
  link('qr-3'),
  link('br-1', { '10.1.0.1/16': [] }),
];

const found = (sides: { readonly outside?: readonly string[]; readonly inside?: readonly string[] }) =>
  describeInside(insideInterfaces({ interfaces: INTERFACES, defaultRoutes: [] }, sides)).map(
    ({ name, isBridge, networks }) => [name, isBridge, networks.map(({ text }) => text)],
  );

test('those that are named are inside, whatever their addresses are', () => {
  expect(found({ outside: ['qg-'], inside: ['qr-'] })).toEqual([
    ['qr-1', false, ['10.9.0.1/32']],
    ['qr-2', false, ['10.0.0.0/24', 'fd00::/64']],
    ['qr-3', false, []],
  ]);
  expect(found({ outside: ['qg-'], inside: [] })).toEqual([]);
});

test('of all others than those outside, those with a usable address are', () => {
  expect(found({ outside: ['qg-'] })).toEqual([
    ['br-1', true, ['10.1.0.0/16']],
    ['qr-1', false, ['10.9.0.1/32']],
    ['qr-2', false, ['10.0.0.0/24', 'fd00::/64']],
  ]);
});

describe('a change is one of names, kinds and networks', () => {
  const [one, other] = ['10.0.0.0/24', '10.0.1.0/24'].map((text) => parseCidr(text));
  const some: InsideInterface = { name: 'qr-1', isBridge: false, networks: one === undefined ? [] : [one] };

  test.each<[string, readonly InsideInterface[], boolean]>([
    ['the same', [{ ...some }], true],
    ['fewer', [], false],
    ['more', [some, { ...some, name: 'qr-2' }], false],
    ['another name', [{ ...some, name: 'qr-2' }], false],
    ['another kind', [{ ...some, isBridge: true }], false],
    ['another network', [{ ...some, networks: other === undefined ? [] : [other] }], false],
    ['no network', [{ ...some, networks: [] }], false],
  ])('%s', (_, after, expected) => {
    expect(sameInside([some], after)).toBe(expected);
  });
});
