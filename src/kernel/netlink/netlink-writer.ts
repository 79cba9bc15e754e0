/** Writes netlink messages one behind the other into one piece of memory, which grows as they do. */
export interface NetlinkWriter {
  /** How many bytes there are so far. */
  readonly length: number;
  /** A message; `body` writes what is behind its header. */
  message(type: number, flags: number, sequence: number, body: () => void): void;
  bytes(value: Uint8Array): void;
  attribute(type: number, value: Uint8Array): void;
  /** A number of 32 bits in network byte order. */
  number(type: number, value: number): void;
  /** One of 64 bits, likewise. */
  bigNumber(type: number, value: bigint): void;
  /** A text with NUL behind it. */
  text(type: number, value: string): void;
  /** An attribute that is made of attributes. */
  nest(type: number, body: () => void): void;
  /** An attribute of `size` zeros, to be filled. */
  space(type: number, size: number, fill: (into: Buffer, at: number) => void): void;
  /** What was written; not to be written to any more. */
  finish(): Buffer;
}

const HEADER = 16;
const NLA_F_NESTED = 0x8000;
const FIRST_CAPACITY = 4096;

export function createNetlinkWriter(): NetlinkWriter {
  let data = Buffer.alloc(FIRST_CAPACITY);
  let length = 0;
  return {
    get length() {
      return length;
    },
    message,
    bytes,
    attribute: (type, value) => space(type, value.length, (into, at) => into.set(value, at)),
    number: (type, value) => space(type, 4, (into, at) => into.writeUInt32BE(value, at)),
    bigNumber: (type, value) => space(type, 8, (into, at) => into.writeBigUInt64BE(value, at)),
    text: (type, value) => space(type, Buffer.byteLength(value) + 1, (into, at) => into.write(value, at)),
    nest,
    space,
    finish: () => data.subarray(0, length),
  };

  /** Where so many more bytes begin, zeroed, and padded to four. */
  function extend(size: number): number {
    const at = length;
    length += (size + 3) & ~3;
    if (length > data.length) data = Buffer.concat([data], Math.max(length, 2 * data.length));
    return at;
  }

  function message(type: number, flags: number, sequence: number, body: () => void): void {
    const start = extend(HEADER);
    body();
    data.writeUInt32LE(length - start, start);
    data.writeUInt16LE(type, start + 4);
    data.writeUInt16LE(flags, start + 6);
    data.writeUInt32LE(sequence, start + 8);
  }

  function bytes(value: Uint8Array): void {
    const at = extend(value.length);
    data.set(value, at);
  }

  function space(type: number, size: number, fill: (into: Buffer, at: number) => void): void {
    const start = extend(4 + size);
    data.writeUInt16LE(4 + size, start);
    data.writeUInt16LE(type, start + 2);
    fill(data, start + 4);
  }

  function nest(type: number, body: () => void): void {
    const start = extend(4);
    body();
    data.writeUInt16LE(length - start, start);
    data.writeUInt16LE(type | NLA_F_NESTED, start + 2);
  }
}
