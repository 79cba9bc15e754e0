import { hatobaError } from './errors.ts';

export type Family = 4 | 6;

/** An IP address in its one canonical spelling (IPv6: RFC 5952), so that equal addresses have equal text. */
export interface Address {
  readonly family: Family;
  readonly text: string;
}

/**
 * Reads an address that one machine can have: unicast, routable, spelled without ambiguity.
 * Other spellings and kinds each have an error of their own, all with codes `address_…`.
 */
export function parseAddress(text: string): Address {
  if (!text.includes(':') && !text.includes('%')) {
    refuseUnusableIPv4(text, ipv4Value(text));
    return Object.freeze({ family: 4, text });
  }
  const { value } = parseAnyAddress(text);
  refuseUnusableIPv6(text, value);
  return addressOf(6, value);
}

/** Reads any address, also one no forward may have (a network's own, for example), as a number; refuses IPv4 as IPv6. */
export function parseAnyAddress(text: string): { family: Family; value: bigint } {
  if (text.includes('%')) throw hatobaError('address_zone', { value: text });
  if (!text.includes(':')) return { family: 4, value: BigInt(ipv4Value(text)) };
  const value = ipv6Value(text);
  if (value >> 32n === 0xffffn) {
    throw hatobaError('address_ipv4_mapped', { value: text, ipv4: ipv4Text(value & 0xffff_ffffn) });
  }
  return { family: 6, value };
}

/** The address with this numeric value, which must fit the family. */
export function addressOf(family: Family, value: bigint): Address {
  return Object.freeze({ family, text: family === 4 ? ipv4Text(value) : ipv6Text(value) });
}

export function addressValue(address: Address): bigint {
  return address.family === 4 ? BigInt(ipv4Value(address.text)) : ipv6Value(address.text);
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.text === b.text;
}

/** With a port behind it, as in URLs: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function printEndpoint(address: string, port: string | number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const DOTTED_QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Only the one canonical spelling has a value. */
function ipv4Value(text: string): number {
  const [, ...octets] = DOTTED_QUAD.exec(text) ?? [];
  const numbers = octets.map(Number);
  if (numbers.length !== 4 || numbers.some((octet) => octet > 255)) throw ipv4Mistake(text);
  return numbers.reduce((value, octet) => value * 256 + octet, 0);
}

function ipv4Mistake(text: string): Error {
  const parts = text.split('.');
  const isNumeric = parts.length <= 4 && parts.every((part) => /^(0x[\da-f]+|\d+)$/i.test(part));
  if (!isNumeric) return hatobaError('address_malformed', { value: text });
  if (parts.some((part) => /^0\d/.test(part))) return hatobaError('address_leading_zero', { value: text });
  const isQuad = parts.length === 4 && parts.every((part) => /^\d+$/.test(part));
  return hatobaError(isQuad ? 'address_malformed' : 'address_not_dotted_quad', { value: text });
}

/** RFC 4291 §2.2: eight groups, one run of zeros as `::`, the last 32 bits perhaps in dotted form. */
function ipv6Value(text: string): bigint {
  const malformed = () => hatobaError('address_malformed', { value: text });
  const halves = text.split('::');
  if (halves.length > 2) throw malformed();
  const [head = [], tail = []] = halves.map((half, index) => ipv6Groups(half, index === halves.length - 1, malformed));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) throw malformed();
  return [...head, ...Array<number>(missing).fill(0), ...tail].reduce(
    (value, group) => value * 65536n + BigInt(group),
    0n,
  );
}

function ipv6Groups(half: string, isLast: boolean, malformed: () => Error): number[] {
  if (half === '') return [];
  return half.split(':').flatMap((group, index, groups) => {
    if (isLast && index === groups.length - 1 && group.includes('.')) {
      const dotted = ipv4Value(group);
      return [Math.floor(dotted / 65536), dotted % 65536];
    }
    if (!/^[\da-f]{1,4}$/i.test(group)) throw malformed();
    return [Number.parseInt(group, 16)];
  });
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

/** RFC 5952 §4: lower case, no leading zeros, the longest (first of equal) run of two or more zeros as `::`. */
function ipv6Text(value: bigint): string {
  const groups = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => Number((value >> shift) & 65535n));
  let [start, length] = [0, 1];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length === 1) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** IANA IPv4 special-purpose address registry (RFC 6890). */
function refuseUnusableIPv4(text: string, value: number): void {
  const first = value >>> 24;
  if (first === 0) throw hatobaError('address_unspecified', { value: text });
  if (first === 127) throw hatobaError('address_loopback', { value: text });
  if (value >>> 16 === 0xa9fe) throw hatobaError('address_link_local', { value: text });
  if (first >>> 4 === 0xe) throw hatobaError('address_multicast', { value: text });
  if (value === 0xffff_ffff) throw hatobaError('address_broadcast', { value: text });
  if (first >>> 4 === 0xf) throw hatobaError('address_reserved', { value: text });
}

/** IANA IPv6 special-purpose address registry (RFC 6890, RFC 4291). */
function refuseUnusableIPv6(text: string, value: bigint): void {
  if (value === 0n) throw hatobaError('address_unspecified', { value: text });
  if (value === 1n) throw hatobaError('address_loopback', { value: text });
  if (value >> 32n === 0n) throw hatobaError('address_reserved', { value: text });
  if (value >> 118n === 0x3fan) throw hatobaError('address_link_local', { value: text });
  if (value >> 120n === 0xffn) throw hatobaError('address_multicast', { value: text });
}
