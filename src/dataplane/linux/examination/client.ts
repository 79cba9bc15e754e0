import { type Address, addressOf, addressValue, type Family, parseAddress } from '../../../model/address.ts';
import { type Cidr, cidrContains, networkOf } from '../../../model/cidr.ts';
import type { Rule } from '../../../program/rule.ts';

/** Stand for any client outside: documentation addresses (RFC 5737, RFC 3849, RFC 9637), to which only a default route leads. */
const ANYBODY: Readonly<Record<Family, readonly Address[]>> = {
  4: ['192.0.2.1', '198.51.100.1', '203.0.113.1'].map(parseAddress),
  6: ['2001:db8::1', '3fff::1'].map(parseAddress),
};

/** In which such an address would be that of a neighbour after all: somebody's network made of documentation addresses. */
const NEIGHBOURHOOD: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/** A client that may use the forward, and is not the router itself, which has the addresses `own` besides the external one. */
export function clientOf(
  { external, sources: [network] }: Pick<Rule, 'external' | 'sources'>,
  own: ReadonlySet<string> = new Set(),
): Address {
  return network === undefined ? anybodyFor(external) : memberOf(network, own.union(new Set([external.text])));
}

function anybodyFor(external: Address): Address {
  const { family } = external;
  const near = networkOf(family, addressValue(external), NEIGHBOURHOOD[family]);
  const [first, ...others] = ANYBODY[family];
  return others.reduce((found, next) => (cidrContains(near, found) ? next : found), first ?? external);
}

/** The second address, since the first may be the network's own; one behind it, where the second is the router's. */
function memberOf({ family, first, last }: Cidr, own: ReadonlySet<string>): Address {
  let value = first === last ? first : first + 1n;
  while (value < last && own.has(addressOf(family, value).text)) value++;
  return addressOf(family, value);
}
