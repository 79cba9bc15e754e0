import type { Interface } from '../../kernel/netlink/rtnetlink.ts';
import { addressValue } from '../../model/address.ts';
import { type Cidr, networkOf } from '../../model/cidr.ts';
import { isUsable } from './address-preference.ts';

/** An interface to machines that may reach a forward and its target by it alike. */
export interface InsideInterface {
  readonly name: string;
  readonly isBridge: boolean;
  /** Those of its usable addresses, each once, in order; others may lie behind routers in them. */
  readonly networks: readonly Cidr[];
}

/** In the order of their names. */
export function describeInside(interfaces: readonly Interface[]): readonly InsideInterface[] {
  return interfaces
    .map(({ name, isBridge, addresses }) => ({
      name,
      isBridge,
      networks: distinct(
        addresses
          .filter(isUsable)
          .map(({ address, prefixLength }) => networkOf(address.family, addressValue(address), prefixLength)),
      ),
    }))
    .sort((a, b) => compare(a.name, b.name));
}

export function sameInside(a: readonly InsideInterface[], b: readonly InsideInterface[]): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index]));
}

function isSame(a: InsideInterface, b: InsideInterface | undefined): boolean {
  if (a.name !== b?.name || a.isBridge !== b.isBridge || a.networks.length !== b.networks.length) return false;
  return a.networks.every(({ text }, index) => text === b.networks[index]?.text);
}

function distinct(networks: readonly Cidr[]): readonly Cidr[] {
  const byText = new Map(networks.map((network) => [network.text, network]));
  return [...byText.values()].sort((a, b) => compare(a.text, b.text));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
