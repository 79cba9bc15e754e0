import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyRange } from '../../../src/store/sqlite/key-range.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '%', '\u{d7ff}', '\u{e000}', '\u{10000}', '\u{10ffff}'),
});

test('the range has exactly the keys with the prefix', () => {
  fc.assert(
    fc.property(text, text, fc.boolean(), (prefix, other, isUnder) => {
      const key = isUnder ? prefix + other : other;
      const { from, to } = keyRange(prefix);
      const isInRange = compare(key, from) >= 0 && (typeof to !== 'string' || compare(key, to) < 0);
      expect(isInRange).toBe(key.startsWith(prefix));
    }),
    { numRuns: 2000 },
  );
});

/** As SQLite does it: by the bytes of UTF-8. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
