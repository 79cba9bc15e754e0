import { addressOf, type Family, parseAnyAddress } from './address.ts';
import { hatobaError } from './errors.ts';

/** A network: all addresses of a family from `first` to `last`. */
export interface Cidr {
  readonly family: Family;
  /** Canonical, with prefix length: `203.0.113.0/24`. */
  readonly text: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** Reads `address/length`, or a bare address as a network of one. Errors: `cidr_…`, `address_…`. */
export function parseCidr(text: string): Cidr {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const { family, value } = parseAnyAddress(addressText);
  const width = family === 4 ? 32 : 128;
  const length = lengthText === undefined ? width : /^(0|[1-9]\d{0,2})$/.test(lengthText) ? Number(lengthText) : -1;
  if (rest.length > 0 || length < 0 || length > width) throw hatobaError('cidr_malformed', { value: text });
  const size = 1n << BigInt(width - length);
  const first = value - (value % size);
  const canonical = `${addressOf(family, first).text}/${length}`;
  if (first !== value) throw hatobaError('cidr_host_bits', { value: text, network: canonical });
  return Object.freeze({ family, text: canonical, first, last: first + size - 1n });
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
