/** What files begin with that are compressed, and what unpacks them. */
const COMPRESSED: readonly { readonly magic: readonly number[]; readonly name: string; readonly program: string }[] = [
  { magic: [0x1f, 0x8b], name: 'gzip', program: 'zcat' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], name: 'xz', program: 'xzcat' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd', program: 'zstdcat' },
  { magic: [0x42, 0x5a, 0x68], name: 'bzip2', program: 'bzcat' },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4', program: 'lz4cat' },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'zip', program: 'unzip -p' },
];

/** Reads UTF-8, with or without a byte order mark. Throws an Error that says what else it is, and what makes text of it. */
export function decodeText(bytes: Uint8Array): string {
  const compressed = COMPRESSED.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte));
  if (compressed !== undefined) {
    throw new Error(`it is compressed with ${compressed.name}: unpack it with ${compressed.program}`);
  }
  if (isUtf16(bytes)) throw new Error('it is UTF-16: make UTF-8 of it with iconv -f UTF-16 -t UTF-8');
  if (bytes.includes(0)) throw new Error('it is binary, and no text');
  return new TextDecoder().decode(bytes);
}

/** By its byte order mark, or by zeros in every other byte of the beginning. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const beginning = bytes.subarray(0, 64 - (bytes.length % 2 && bytes.length < 64 ? 1 : 0));
  const zeros = [0, 1].map((odd) => beginning.filter((byte, at) => at % 2 === odd && byte === 0).length);
  return beginning.length >= 4 && zeros.some((count, odd) => count * 2 === beginning.length && zeros[1 - odd] === 0);
}
