import { isIPv4 } from 'node:net';
import { addressOf, addressValue, parseAddress } from '../../src/model/address.ts';
import { PROTOCOL_NUMBERS, type Protocol } from '../../src/model/protocol.ts';

/** Both ends of a packet, as its headers say. */
export interface Ends {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

export interface SeenPacket extends Ends {
  /** IANA number. */
  readonly protocol: number;
  /** Whether the transport protocol's own checksum is right. */
  readonly intact: boolean;
}

type Checksum = 'internet' | 'crc32c';

interface Shape {
  /** A first packet without ports and checksum, or the answer to one. */
  readonly opening: string;
  readonly answer: string;
  readonly checksumAt: number;
  readonly checksum: Checksum;
}

/** Hexadecimal, from the ports on; RFC 9293, 768, 9260 (INIT, INIT ACK), 4340 (Request, Response), 3828. */
const SHAPES: Readonly<Record<Protocol, Shape>> = {
  tcp: {
    opening: '00000000 00000001 00000000 5002ffff 00000000',
    answer: '00000000 00000001 00000002 5012ffff 00000000',
    checksumAt: 16,
    checksum: 'internet',
  },
  udp: {
    opening: '00000000 000c0000 68617461',
    answer: '00000000 000c0000 6f626168',
    checksumAt: 6,
    checksum: 'internet',
  },
  sctp: {
    opening: '00000000 00000000 00000000 01000014 00000001 0000ffff 00010001 00000001',
    answer: '00000000 00000001 00000000 02000018 00000002 0000ffff 00010001 00000001 00070004',
    checksumAt: 8,
    checksum: 'crc32c',
  },
  dccp: {
    opening: '00000000 05000000 01000000 00000001 00000000',
    answer: '00000000 07000000 03000000 00000001 00000000 00000001 00000000',
    checksumAt: 6,
    checksum: 'internet',
  },
  udplite: {
    opening: '00000000 00000000 68617461',
    answer: '00000000 00000000 6f626168',
    checksumAt: 6,
    checksum: 'internet',
  },
};

/** Where checksums are, by protocol number; of protocols that are not ours, nothing is known. */
const BY_NUMBER = new Map(
  Object.entries(SHAPES).map(([name, shape]) => [numberOf(name), shape] satisfies [number, Shape]),
);

/** A packet that begins a flow, or answers one, without its IP header. */
export function segment(protocol: Protocol, kind: 'opening' | 'answer', ends: Ends): Buffer {
  const shape = SHAPES[protocol];
  const data = Buffer.from(shape[kind].replaceAll(' ', ''), 'hex');
  data.writeUInt16BE(ends.sourcePort, 0);
  data.writeUInt16BE(ends.destinationPort, 2);
  writeChecksum(data, PROTOCOL_NUMBERS[protocol], shape, ends);
  return data;
}

/** What an IP packet's headers say; `undefined`: not of a transport protocol that has ports here. */
export function readPacket(data: Buffer): SeenPacket | undefined {
  const version = (data[0] ?? 0) >> 4;
  if (version !== 4 && version !== 6) return undefined;
  const protocol = data[version === 4 ? 9 : 6] ?? 0;
  const shape = BY_NUMBER.get(protocol);
  if (shape === undefined) return undefined;
  const [from, size, start] = version === 4 ? [12, 4, ((data[0] ?? 0) & 15) * 4] : [8, 16, 40];
  const address = (at: number) => addressOf(version, BigInt(`0x${data.toString('hex', at, at + size)}`)).text;
  const end = version === 4 ? data.readUInt16BE(2) : 40 + data.readUInt16BE(4);
  const transport = data.subarray(start, end);
  const ends = {
    source: address(from),
    sourcePort: transport.readUInt16BE(0),
    destination: address(from + size),
    destinationPort: transport.readUInt16BE(2),
  };
  const again = Buffer.from(transport);
  writeChecksum(again, protocol, shape, ends);
  return { ...ends, protocol, intact: again.equals(transport) };
}

export function addressBytes(text: string): Buffer {
  const digits = isIPv4(text) ? 8 : 32;
  return Buffer.from(addressValue(parseAddress(text)).toString(16).padStart(digits, '0'), 'hex');
}

function writeChecksum(data: Buffer, protocol: number, { checksum, checksumAt }: Shape, ends: Ends): void {
  const width = checksum === 'crc32c' ? 4 : 2;
  data.fill(0, checksumAt, checksumAt + width);
  if (checksum === 'crc32c') data.writeUInt32LE(crc32c(data), checksumAt);
  else
    data.writeUInt16BE(internetChecksum(Buffer.concat([pseudoHeader(data.length, protocol, ends), data])), checksumAt);
}

/** RFC 793 §3.1, RFC 8200 §8.1; as one buffer, both families sum up alike. */
function pseudoHeader(length: number, protocol: number, { source, destination }: Ends): Buffer {
  return Buffer.concat([
    addressBytes(source),
    addressBytes(destination),
    Buffer.from([0, protocol, length >> 8, length & 255]),
  ]);
}

/** RFC 1071; a sum of 0 is sent as all ones, since 0 means "none" in UDP. */
function internetChecksum(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += (data[at] ?? 0) * 256 + (data[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return sum === 0xffff ? 0xffff : ~sum & 0xffff;
}

/** RFC 9260 appendix A. */
function crc32c(data: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function numberOf(name: string): number {
  return new Map<string, number>(Object.entries(PROTOCOL_NUMBERS)).get(name) ?? 0;
}
