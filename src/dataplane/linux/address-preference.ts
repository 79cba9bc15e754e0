import type { AddressFlag, InterfaceAddress } from '../../kernel/netlink/rtnetlink.ts';

/** RT_SCOPE_UNIVERSE: those of `scope site`, `link` and `host` are not for everywhere. */
const GLOBAL = 0;

/**
 * What is against an address, the worst first. Each flag of the kernel's is here, or says nothing about which address a
 * router is to be reached at:
 * - `dadfailed`, `tentative`: another machine has it (RFC 4862 section 5.4), or may have it; the kernel does not answer for
 *   it. Not at all, but a tentative one that is also `optimistic` (RFC 4429), for which the kernel answers already.
 * - `optimistic`: it may yet turn out to be a duplicate.
 * - `deprecated` (`preferred_lft 0`): valid, and not for new connections of the machine's own (RFC 4862 section 5.5.4).
 *   keepalived and kube-vip give virtual addresses so, to keep them from being chosen as a source.
 * - the longest possible prefix (/32, /128): mostly an address beside the router's own, such as a virtual or floating one.
 * - `secondary` (IPv4): not the first of its subnet. `temporary` (IPv6, RFC 8981): replaced every day.
 * - `permanent`, `nodad`, `noprefixroute`, `home`, `mngtmpaddr`, `autojoin`, `stable-privacy`: nothing. An address with a
 *   lifetime is as good as one without, as long as it has it; `noprefixroute` is about a route, which programs such as
 *   NetworkManager make themselves; a home address (RFC 6275) is one that stays.
 */
const OBJECTIONS: readonly ((address: InterfaceAddress) => boolean)[] = [
  (address) => has(address, 'optimistic'),
  (address) => has(address, 'deprecated'),
  hasHostPrefix,
  (address) => has(address, 'secondary') || has(address, 'temporary'),
];

/** Whether others can reach the machine at it. */
export function isUsable(address: InterfaceAddress): boolean {
  const isUnclear = has(address, 'tentative') && !has(address, 'optimistic');
  return address.scope === GLOBAL && !isUnclear && !has(address, 'dadfailed');
}

/** The usable one with the least against it; of several, the first; `undefined`: none is usable. */
export function preferred(addresses: readonly InterfaceAddress[]): InterfaceAddress | undefined {
  // Sorting is stable.
  const [best] = addresses.filter(isUsable).sort((a, b) => objectionsTo(a) - objectionsTo(b));
  return best;
}

/** As a number, in which a worse objection counts more than all lesser ones. */
function objectionsTo(address: InterfaceAddress): number {
  return OBJECTIONS.reduce((sum, isAgainst) => 2 * sum + Number(isAgainst(address)), 0);
}

export function hasHostPrefix({ address, prefixLength }: InterfaceAddress): boolean {
  return prefixLength === (address.family === 4 ? 32 : 128);
}

function has({ flags }: InterfaceAddress, flag: AddressFlag): boolean {
  return flags.includes(flag);
}
