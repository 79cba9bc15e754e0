import { addressOf, addressValue } from '../../model/address.ts';
import { textOf } from '../netlink/netlink.ts';

/**
 * Keys and values of map elements, between nft's words (`192.0.2.1 . 6 . 80`; protocols and directions are numbers) and the kernel's
 * bytes: each part of a concatenation in network byte order, padded to four bytes. Padding is zeros, but that of a port can
 * be another port, to which a range goes (nft-shift.ts): `10.0.0.1 . 8080-8087`.
 */

/** nft's datatype.h. */
const IPV4 = 7;
const IPV6 = 8;
const PROTOCOL = 12;
const PORT = 13;
const DIRECTION = 27;
const INTERFACE = 41;

/** The datatypes of a concatenation, which nft numbers by six bits a part. */
export function datatypesOf(type: number): readonly number[] {
  const parts: number[] = [];
  for (let rest = type; rest > 0; rest >>>= 6) parts.unshift(rest & 0x3f);
  return parts;
}

export function sizeOf(types: readonly number[]): number {
  return types.reduce((size, type) => size + sizeOfPart(type), 0);
}

/** Whether a key of these parts can have two ends, of an interval. Names of interfaces cannot; they may have hyphens in them. */
export function mayBeInterval(types: readonly number[]): boolean {
  return !types.includes(INTERFACE);
}

/** IFNAMSIZ (linux/if.h), of an address of IPv6, or of a register. */
function sizeOfPart(type: number): number {
  return type === IPV6 || type === INTERFACE ? 16 : 4;
}

/** A part of a type that is not ours is given as hexadecimal digits. */
export function readValue(data: Buffer, types: readonly number[]): string {
  let at = 0;
  const parts = types.map((type) => {
    const part = readPart(data, at, type);
    at += sizeOfPart(type);
    return part;
  });
  return parts.join(' . ');
}

function readPart(data: Buffer, at: number, type: number): string {
  switch (type) {
    case IPV4:
      return `${data[at]}.${data[at + 1]}.${data[at + 2]}.${data[at + 3]}`;
    case IPV6:
      return addressOf(6, BigInt(`0x${data.toString('hex', at, at + 16)}`)).text;
    case PROTOCOL:
    case DIRECTION:
      return String(data[at]);
    case PORT:
      return readPorts(data, at);
    case INTERFACE:
      return textOf(data.subarray(at, at + 16));
    default:
      return `0x${data.toString('hex', at, at + 4)}`;
  }
}

/** What is a port alone, and no concatenation, is not padded. */
function readPorts(data: Buffer, at: number): string {
  const first = data.readUInt16BE(at);
  const last = at + 2 < data.length ? data.readUInt16BE(at + 2) : 0;
  return last === 0 ? `${first}` : `${first}-${last}`;
}

/** Writes at `at`, over zeros, what `readValue` reads there. */
export function writeValue(text: string, types: readonly number[], into: Buffer, at: number): void {
  let next = at;
  let start = 0;
  for (const type of types) {
    const end = text.indexOf(' ', start);
    writePart(end < 0 ? text.slice(start) : text.slice(start, end), type, into, next);
    start = end + 3;
    next += sizeOfPart(type);
  }
}

function writePart(text: string, type: number, into: Buffer, at: number): void {
  switch (type) {
    case IPV4:
      writeBytes(text, into, at);
      return;
    case IPV6:
      into.write(addressValue({ family: 6, text }).toString(16).padStart(32, '0'), at, 'hex');
      return;
    case PROTOCOL:
    case DIRECTION:
      into[at] = Number(text);
      return;
    case PORT:
      writePorts(text, into, at);
      return;
    case INTERFACE:
      // The last byte stays NUL.
      into.write(text, at, 15);
      return;
    default:
      into.write(text.slice(2), at, 'hex');
  }
}

function writePorts(text: string, into: Buffer, at: number): void {
  const hyphen = text.indexOf('-');
  into.writeUInt16BE(Number(hyphen < 0 ? text : text.slice(0, hyphen)), at);
  if (hyphen >= 0) into.writeUInt16BE(Number(text.slice(hyphen + 1)), at + 2);
}

/** Decimal numbers with full stops between them. Written out, since it is what most of the time went to otherwise. */
function writeBytes(text: string, into: Buffer, at: number): void {
  let byte = 0;
  let next = at;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit >= 0) byte = 10 * byte + digit;
    else {
      into[next++] = byte;
      byte = 0;
    }
  }
  into[next] = byte;
}
