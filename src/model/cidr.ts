import { type Address, addressOf, addressValue, type Family, parseAnyAddress } from './address.ts';
import { hatobaError } from './errors.ts';

/** All addresses of a family from `first` to `last`. */
export interface AddressSpan {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** A network. */
export interface Cidr extends AddressSpan {
  /** Canonical, with prefix length: `203.0.113.0/24`. */
  readonly text: string;
}

/** Reads `address/length`, or a bare address as a network of one. Errors: `cidr_…`, `address_…`. */
export function parseCidr(text: string): Cidr {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const { family, value } = parseAnyAddress(addressText);
  const width = family === 4 ? 32 : 128;
  const length = lengthText === undefined ? width : /^(0|[1-9]\d{0,2})$/.test(lengthText) ? Number(lengthText) : -1;
  if (rest.length > 0 || length < 0 || length > width) throw hatobaError('cidr_malformed', { value: text });
  const network = networkOf(family, value, length);
  if (network.first !== value) throw hatobaError('cidr_host_bits', { value: text, network: network.text });
  return network;
}

/** The network of this prefix length in which the address (as a number) is. */
export function networkOf(family: Family, value: bigint, length: number): Cidr {
  const size = 1n << BigInt((family === 4 ? 32 : 128) - length);
  const first = value - (value % size);
  return Object.freeze({ family, text: `${addressOf(family, first).text}/${length}`, first, last: first + size - 1n });
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

export function cidrContains({ family, first, last }: AddressSpan, address: Address): boolean {
  if (address.family !== family) return false;
  const value = addressValue(address);
  return first <= value && value <= last;
}

/** Whether some packet comes from one of both lists; an empty one stands for anyone. */
export function sourcesOverlap(a: readonly Cidr[], b: readonly Cidr[]): boolean {
  if (a.length === 0 || b.length === 0) return true;
  return a.some((source) => b.some((other) => cidrsOverlap(source, other)));
}

/** The same addresses without the networks that lie within others. */
export function withoutNested(cidrs: readonly Cidr[]): readonly Cidr[] {
  return cidrs.filter(
    (inner) => !cidrs.some((outer) => outer !== inner && outer.first <= inner.first && inner.last <= outer.last),
  );
}
