import { describe, expect, test } from 'vitest';
import { insideInterfaces, outsideInterfaces } from '../../../src/dataplane/linux/sides.ts';
import type { Links } from '../../../src/kernel/kernel.ts';
import { type Family, parseAddress } from '../../../src/model/address.ts';

/** `eth0` with such addresses. */
function link(name: string, ...addresses: readonly string[]): Links['interfaces'][number] {
  return {
    name,
    up: true,
    isBridge: name.startsWith('br-'),
    addresses: addresses.map((text) => ({
      address: parseAddress(text),
      prefixLength: 24,
      scope: 0,
      flags: [],
    })),
  };
}

const way = (family: Family, name: string) => ({ family, interface: name });
const INTERFACES = [
  link('lo'),
  link('eth0', '192.0.2.1'),
  link('wlan0', '198.51.100.1', '2001:db8::1'),
  link('br-lan', '10.0.0.1'),
  link('veth0'),
];

describe('by the default route', () => {
  test.each<[string, Links['defaultRoutes'], readonly string[], readonly string[], readonly string[]]>([
    ['there is none', [], [], [], ['eth0', 'wlan0', 'br-lan']],
    ['the first counts', [way(4, 'wlan0'), way(4, 'eth0')], ['wlan0'], [], ['eth0', 'br-lan']],
    ['each family has its own', [way(6, 'wlan0'), way(4, 'eth0')], ['eth0'], ['wlan0'], ['br-lan']],
    ['one without an address is passed over', [way(4, 'veth0'), way(4, 'eth0')], ['eth0'], [], ['wlan0', 'br-lan']],
    ['one without an address of the family, too', [way(6, 'eth0')], [], [], ['eth0', 'wlan0', 'br-lan']],
    ['an interface that has just gone is none', [way(4, 'ppp0')], [], [], ['eth0', 'wlan0', 'br-lan']],
  ])('%s', (_, defaultRoutes, ipv4, ipv6, inside) => {
    const links = { interfaces: INTERFACES, defaultRoutes };
    const names = (found: Links['interfaces']) => found.map(({ name }) => name);
    expect(names(outsideInterfaces(links, {}, 4))).toEqual(ipv4);
    expect(names(outsideInterfaces(links, {}, 6))).toEqual(ipv6);
    expect(names(insideInterfaces(links, {}))).toEqual(inside);
  });
});

test('names that were given count, whatever the routes say', () => {
  const links = { interfaces: INTERFACES, defaultRoutes: [way(4, 'wlan0')] };
  const names = (found: Links['interfaces']) => found.map(({ name }) => name);
  expect(names(outsideInterfaces(links, { outside: ['eth'] }, 4))).toEqual(['eth0']);
  expect(names(insideInterfaces(links, { outside: ['eth'] }))).toEqual(['wlan0', 'br-lan']);
  expect(names(insideInterfaces(links, { outside: ['eth'], inside: ['br-'] }))).toEqual(['br-lan']);
  expect(names(insideInterfaces(links, { outside: ['eth'], inside: [] }))).toEqual([]);
});
