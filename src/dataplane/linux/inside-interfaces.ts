import type { Links } from '../../kernel/kernel.ts';
import { addressValue } from '../../model/address.ts';
import { type Cidr, networkOf } from '../../model/cidr.ts';
import { isUsable } from './address-preference.ts';
import type { RouterSides } from './namespaces.ts';
import { insideInterfaces } from './sides.ts';

/** An interface to machines that may reach a forward and its target by it alike. */
export interface InsideInterface {
  readonly name: string;
  readonly isBridge: boolean;
  /** Those of its usable addresses, each once, in order; others may lie behind routers in them. */
  readonly networks: readonly Cidr[];
}

/**
 * In the order of their names. Where all are inside that are not outside, those without a usable address are left out: they
 * are ports of bridges, or ends of containers, of which a machine can have thousands that come and go.
 */
export function insideOf(links: Links, sides: Pick<RouterSides, 'outside' | 'inside'>): readonly InsideInterface[] {
  return insideInterfaces(links, sides)
    .map(({ name, isBridge, addresses }) => ({
      name,
      isBridge,
      networks: distinct(
        addresses
          .filter(isUsable)
          .map(({ address, prefixLength }) => networkOf(address.family, addressValue(address), prefixLength)),
      ),
    }))
    .filter(({ networks }) => sides.inside !== undefined || networks.length > 0)
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
