/** Up to 32 bits, of which those in `known` are those of `value`; the others can be either. */
export interface Bits {
  readonly value: number;
  readonly known: number;
}

const ALL = 0xffff_ffff;

/** All 32 bits known. */
export function bitsOf(value: number): Bits {
  return { value: value >>> 0, known: ALL };
}

export const UNKNOWN_BITS: Bits = Object.freeze({ value: 0, known: 0 });

/** `bits & mask`. */
export function maskBits({ value, known }: Bits, mask: number): Bits {
  return { value: (value & mask) >>> 0, known: (known | ~mask) >>> 0 };
}

/** `bits | mask`. */
export function raiseBits({ value, known }: Bits, mask: number): Bits {
  return { value: (value | mask) >>> 0, known: (known | mask) >>> 0 };
}

/** `a ^ b`. */
export function xorBits(a: Bits, b: Bits): Bits {
  return { value: (a.value ^ b.value) >>> 0, known: (a.known & b.known) >>> 0 };
}

/** What is known of bits that are either `a` or `b`. */
export function eitherBits(a: Bits, b: Bits): Bits {
  return { value: a.value, known: (a.known & b.known & ~(a.value ^ b.value)) >>> 0 };
}

export function sameBits(a: Bits, b: Bits): boolean {
  return a.known === b.known && ((a.value ^ b.value) & a.known) === 0;
}
