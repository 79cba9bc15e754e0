import type { Interface, InterfaceAddress } from '../../kernel/rtnetlink.ts';
import type { Family } from '../../model/address.ts';
import type { Gateways } from '../../model/router.ts';
import type { RouterSides } from './namespaces.ts';

/**
 * The router's own outside addresses. Of several, one with the longest possible prefix is the last choice; none at all with
 * `floatingIps`: Neutron puts them on the same interface in that form, and they are not the router's.
 */
export function gatewaysOf(
  interfaces: readonly Interface[],
  { outside, floatingIps = false }: Pick<RouterSides, 'outside' | 'floatingIps'>,
): Gateways {
  const candidates = interfaces
    .filter(({ name }) => outside.some((beginning) => name.startsWith(beginning)))
    .flatMap(({ addresses }) => addresses.filter(({ usable }) => usable));
  const [ipv4, ipv6] = [gatewayOf(candidates, 4, floatingIps), gatewayOf(candidates, 6, floatingIps)];
  return Object.freeze({ ...(ipv4 && { 4: ipv4.address }), ...(ipv6 && { 6: ipv6.address }) });
}

export function sameGateways(a: Gateways, b: Gateways): boolean {
  return a[4]?.text === b[4]?.text && a[6]?.text === b[6]?.text;
}

function gatewayOf(
  candidates: readonly InterfaceAddress[],
  family: Family,
  floatingIps: boolean,
): InterfaceAddress | undefined {
  const ofFamily = candidates.filter(({ address }) => address.family === family);
  const hostLength = family === 4 ? 32 : 128;
  return (
    ofFamily.find(({ secondary, prefixLength }) => !secondary && prefixLength < hostLength) ??
    ofFamily.find(({ prefixLength }) => prefixLength < hostLength) ??
    (floatingIps ? undefined : ofFamily[0])
  );
}
