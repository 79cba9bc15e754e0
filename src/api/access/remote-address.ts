import { isIPv6 } from 'node:net';
import { isLoopback } from './local-callers.ts';

/**
 * By what clients of a TCP listener are told apart: their address, of IPv6 the first 64 bits, since whoever has one address
 * of a network has all of them. `null`: this machine, where a proxy may stand for any number of clients.
 */
export function remoteKey(address: string | undefined): string | null {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '') ?? 'gone';
  if (isLoopback(plain)) return null;
  return isIPv6(plain) ? `${firstGroups(plain)}::/64` : plain;
}

/** The first four groups, as `node:net` writes addresses: in lower case, without leading zeros, and with one `::` at most. */
function firstGroups(address: string): string {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return groups.slice(0, 4).join(':');
}
