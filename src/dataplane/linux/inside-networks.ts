import type { Interface } from '../../kernel/netlink/rtnetlink.ts';
import { addressValue } from '../../model/address.ts';
import { type Cidr, networkOf } from '../../model/cidr.ts';

/** The networks of the router's inside interfaces, each once, in order. */
export function insideNetworks(inside: readonly Interface[]): readonly Cidr[] {
  const networks = inside
    .flatMap(({ addresses }) => addresses.filter(({ usable }) => usable))
    .map(({ address, prefixLength }) => networkOf(address.family, addressValue(address), prefixLength));
  const distinct = new Map(networks.map((network) => [network.text, network]));
  return [...distinct.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}

export function sameNetworks(a: readonly Cidr[], b: readonly Cidr[]): boolean {
  return a.length === b.length && a.every(({ text }, index) => text === b[index]?.text);
}
