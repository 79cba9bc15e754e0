import type { Interface, InterfaceAddress } from '../../kernel/rtnetlink.ts';
import type { Family } from '../../model/address.ts';
import type { Gateways } from '../../model/router.ts';

/**
 * The router's own outside addresses. Neutron puts floating IPs on the same interface, as addresses with the
 * longest possible prefix: those count only where there is no other.
 */
export function gatewaysOf(interfaces: readonly Interface[], outside: readonly string[]): Gateways {
  const candidates = interfaces
    .filter(({ name }) => outside.some((beginning) => name.startsWith(beginning)))
    .flatMap(({ addresses }) => addresses.filter(({ usable }) => usable));
  const [ipv4, ipv6] = [gatewayOf(candidates, 4), gatewayOf(candidates, 6)];
  return Object.freeze({ ...(ipv4 && { 4: ipv4.address }), ...(ipv6 && { 6: ipv6.address }) });
}

export function sameGateways(a: Gateways, b: Gateways): boolean {
  return a[4]?.text === b[4]?.text && a[6]?.text === b[6]?.text;
}

function gatewayOf(candidates: readonly InterfaceAddress[], family: Family): InterfaceAddress | undefined {
  const ofFamily = candidates.filter(({ address }) => address.family === family);
  const hostLength = family === 4 ? 32 : 128;
  return (
    ofFamily.find(({ secondary, prefixLength }) => !secondary && prefixLength < hostLength) ??
    ofFamily.find(({ prefixLength }) => prefixLength < hostLength) ??
    ofFamily[0]
  );
}
