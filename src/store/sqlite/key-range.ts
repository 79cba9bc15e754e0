const LAST_CODE_POINT = 0x10_ff_ff;
const FIRST_SURROGATE = 0xd8_00;
const LAST_SURROGATE = 0xdf_ff;

/** SQLite orders every blob behind every text (https://www.sqlite.org/datatype3.html#sort_order). */
const BEHIND_ALL_TEXTS = new Uint8Array();

/**
 * Keys with the prefix, as a half-open range `from <= key < to` in SQLite's order of texts, which is that of
 * their code points (not of JavaScript's UTF-16 units).
 */
export function keyRange(prefix: string): { readonly from: string; readonly to: string | Uint8Array } {
  return { from: prefix, to: successor(Array.from(prefix)) ?? BEHIND_ALL_TEXTS };
}

/** The first text behind all that begin with these characters; null: there is none. */
function successor(characters: readonly string[]): string | null {
  const last = characters.findLastIndex((character) => character.codePointAt(0) !== LAST_CODE_POINT);
  if (last < 0) return null;
  const next = (characters[last]?.codePointAt(0) ?? 0) + 1;
  const isSurrogate = FIRST_SURROGATE <= next && next <= LAST_SURROGATE;
  return characters.slice(0, last).join('') + String.fromCodePoint(isSurrogate ? LAST_SURROGATE + 1 : next);
}
