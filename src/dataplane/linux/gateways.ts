import type { Links } from '../../kernel/kernel.ts';
import type { InterfaceAddress } from '../../kernel/netlink/rtnetlink.ts';
import type { Family } from '../../model/address.ts';
import type { Gateways, OutsideAddress } from '../../model/router.ts';
import { hasHostPrefix, isUsable, preferred } from './address-preference.ts';
import type { RouterSides } from './namespaces.ts';
import { outsideInterfaces } from './sides.ts';

/**
 * The router's own outside addresses: of several, the one that `preferred` gives. With `floatingIps`, none that has the
 * longest possible prefix: Neutron puts floating IPs on the same interface in that form, and they are not the router's.
 */
export function gatewaysOf(links: Links, sides: Pick<RouterSides, 'outside' | 'floatingIps'>): Gateways {
  const [ipv4, ipv6] = [gatewayOf(links, sides, 4), gatewayOf(links, sides, 6)];
  return Object.freeze({ ...(ipv4 && { 4: ipv4.address }), ...(ipv6 && { 6: ipv6.address }) });
}

/** All addresses at which the router can be reached from outside, each with its interface. */
export function outsideAddressesOf(links: Links, sides: Pick<RouterSides, 'outside'>): readonly OutsideAddress[] {
  return FAMILIES.flatMap((family) =>
    outsideInterfaces(links, sides, family).flatMap(({ name, addresses }) =>
      addresses
        .filter((one) => isUsable(one) && one.address.family === family)
        .map(({ address }) => ({ interface: name, address })),
    ),
  );
}

const FAMILIES: readonly Family[] = [4, 6];

export function sameGateways(a: Gateways, b: Gateways): boolean {
  return a[4]?.text === b[4]?.text && a[6]?.text === b[6]?.text;
}

function gatewayOf(
  links: Links,
  sides: Pick<RouterSides, 'outside' | 'floatingIps'>,
  family: Family,
): InterfaceAddress | undefined {
  const ofFamily = outsideInterfaces(links, sides, family)
    .flatMap(({ addresses }) => addresses)
    .filter(({ address }) => address.family === family);
  return preferred(sides.floatingIps === true ? ofFamily.filter((address) => !hasHostPrefix(address)) : ofFamily);
}
