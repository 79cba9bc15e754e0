import { isJson, type Json } from '../../../interchange/nft-match.ts';
import { type Bits, bitsOf, maskBits, raiseBits, UNKNOWN_BITS, xorBits } from './bits.ts';
import type { PassingPacket } from './passing-packet.ts';

/** What an expression of nft comes to for a packet; `null`: the packet has no such thing, so that the rule ends there. */
export type BitsOfPacket = (packet: PassingPacket) => Bits | null;

/** `nft describe tcp flags`. */
const TCP_FLAGS: Readonly<Record<string, number>> = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ecn: 64,
  cwr: 128,
};

/** An expression of marks, TCP flags and constants (libnftables-json(5)); `null`: it is about something else. */
export function bitsExpression(expression: unknown): BitsOfPacket | null {
  if (typeof expression === 'number') return () => bitsOf(expression);
  if (!isJson(expression)) return null;
  const { meta, ct, payload } = expression;
  if (isJson(meta) && meta['key'] === 'mark') return ({ mark }) => mark;
  if (isJson(ct) && ct['key'] === 'mark') return ({ connection }) => connection?.mark ?? null;
  if (isJson(payload) && payload['protocol'] === 'tcp' && payload['field'] === 'flags') {
    return ({ protocol, tcpFlags }) => (protocol === 'tcp' ? tcpFlags : null);
  }
  return operation(expression);
}

/** Whether it is marks or flags that the expression begins with, and not a constant. */
export function isAboutBits(expression: unknown): boolean {
  return typeof expression !== 'number' && bitsExpression(expression) !== null;
}

/** `tcp flags syn | ack`, a number, a word; `null`: none of them. */
export function constantBits(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return TCP_FLAGS[value] ?? null;
  const parts = Array.isArray(value) ? value : isJson(value) ? value['|'] : undefined;
  if (!Array.isArray(parts)) return null;
  const numbers = parts.map(constantBits);
  const known = numbers.filter((number) => number !== null);
  return known.length < numbers.length ? null : known.reduce((bits, number) => bits | number, 0);
}

/** With a constant on its right side, as nft prints all of them. */
function operation(expression: Json): BitsOfPacket | null {
  const [[operator, operands] = ['', null]] = Object.entries(expression);
  if (!Array.isArray(operands) || operands.length !== 2) return null;
  const left = isAboutBits(operands[0]) ? bitsExpression(operands[0]) : null;
  if (left === null) return null;
  const change = changeBy(operator, constantBits(operands[1]));
  return (packet) => {
    const before = left(packet);
    return before && change(before);
  };
}

function changeBy(operator: string, mask: number | null): (before: Bits) => Bits {
  if (mask === null) return () => UNKNOWN_BITS;
  switch (operator) {
    case '&':
      return (before) => maskBits(before, mask);
    case '|':
      return (before) => raiseBits(before, mask);
    case '^':
      return (before) => xorBits(before, bitsOf(mask));
    default:
      return () => UNKNOWN_BITS;
  }
}
