import type { Links } from '../../kernel/kernel.ts';
import type { InterfaceAddress } from '../../kernel/netlink/rtnetlink.ts';
import type { Family } from '../../model/address.ts';
import type { Gateways } from '../../model/router.ts';
import type { RouterSides } from './namespaces.ts';
import { outsideInterfaces } from './sides.ts';

/**
 * The router's own outside addresses. Of several, one with the longest possible prefix is the last choice; none at all with
 * `floatingIps`: Neutron puts them on the same interface in that form, and they are not the router's.
 */
export function gatewaysOf(links: Links, sides: Pick<RouterSides, 'outside' | 'floatingIps'>): Gateways {
  const [ipv4, ipv6] = [gatewayOf(links, sides, 4), gatewayOf(links, sides, 6)];
  return Object.freeze({ ...(ipv4 && { 4: ipv4.address }), ...(ipv6 && { 6: ipv6.address }) });
}

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
    .filter(({ address, usable }) => usable && address.family === family);
  const hostLength = family === 4 ? 32 : 128;
  return (
    ofFamily.find(({ secondary, prefixLength }) => !secondary && prefixLength < hostLength) ??
    ofFamily.find(({ prefixLength }) => prefixLength < hostLength) ??
    (sides.floatingIps === true ? undefined : ofFamily[0])
  );
}
