import type { Links } from '../../kernel/kernel.ts';
import type { Interface } from '../../kernel/netlink/rtnetlink.ts';
import type { Family } from '../../model/address.ts';
import { isUsable } from './address-preference.ts';
import type { RouterSides } from './namespaces.ts';

const LOOPBACK = 'lo';
const FAMILIES = [4, 6] as const;

/**
 * The interfaces that lead outside. By the default route it is one at most: that of the first which leads to an interface
 * with an address to be reached at, for the kernel drops routes a moment after the address that they need.
 */
export function outsideInterfaces(
  { interfaces, defaultRoutes }: Links,
  { outside }: Pick<RouterSides, 'outside'>,
  family: Family,
): readonly Interface[] {
  if (outside !== undefined) return interfaces.filter(({ name }) => beginsWith(name, outside));
  const ways = defaultRoutes.filter((route) => route.family === family);
  const reachable = interfaces.filter(({ addresses }) =>
    addresses.some((one) => isUsable(one) && one.address.family === family),
  );
  const [first] = ways.flatMap((way) => reachable.filter(({ name }) => name === way.interface));
  return first === undefined ? [] : [first];
}

/**
 * The interfaces that lead to inner networks. Where all lead inside that do not lead outside, those without a usable address
 * are left out: they are ports of bridges, or ends of containers, of which a machine can have thousands that come and go.
 */
export function insideInterfaces(links: Links, sides: Pick<RouterSides, 'outside' | 'inside'>): readonly Interface[] {
  const { inside } = sides;
  if (inside !== undefined) return links.interfaces.filter(({ name }) => beginsWith(name, inside));
  const outside = new Set(FAMILIES.flatMap((family) => outsideInterfaces(links, sides, family)));
  const others = links.interfaces.filter((link) => link.name !== LOOPBACK && !outside.has(link));
  return others.filter(({ addresses }) => addresses.some(isUsable));
}

function beginsWith(name: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => name.startsWith(beginning));
}
