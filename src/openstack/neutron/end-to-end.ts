/** RFC 9110 §7.6.1, and what older programs send: meant for the next hop alone. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A header's name as it was written, and its value. */
export type Header = readonly [name: string, value: string];

/**
 * The headers that a proxy hands on, as they were written: of names and values in turn, those that are not for the
 * next hop alone, nor called so by a header Connection.
 */
export function endToEnd(raw: readonly string[]): readonly Header[] {
  const headers = headersIn(raw);
  const named = headers
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','));
  const dropped = new Set([...HOP_BY_HOP, ...named.map((name) => name.trim().toLowerCase())]);
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** All of them, of names and values in turn. */
export function headersIn(raw: readonly string[]): readonly Header[] {
  return raw.flatMap((name, index): readonly Header[] => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));
}
