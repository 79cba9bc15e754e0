import fc from 'fast-check';

/** What no field expects. */
export const oddTexts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\u001b[2J\r\nX-Evil: 1',
    '\ud800',
    'x\udfff\ud800y',
    '\u202e\u2066',
    '\ufeff',
    '__proto__',
    'constructor',
    'toString',
    '..',
    '%00',
    '%',
    '-1',
    '0',
    '1e3',
    '99999999999999999999',
    'NaN',
    'null',
    "'; DROP TABLE records; --",
    '{}',
    '2026-02-30T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    '::ffff:10.0.0.1',
    '010.0.0.1',
    'fe80::1%eth0',
    '1-65535',
    '65536',
    '0.0.0.0/0',
    '10.0.0.0/33',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'a', '\u0301', '\u0000', '\u007f', '/', '?') }),
  fc.integer({ min: 65, max: 5000 }).map((length) => 'x'.repeat(length)),
);

/** What no field expects, of any type. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  oddTexts,
  fc.constantFrom(null, true, false, 0, -0, -1, 0.5, 65_536, 1e21, 1e308, Number.MAX_SAFE_INTEGER + 2),
  fc.constantFrom([], {}, [[]], [null], { length: 1 }, { toString: 1 }, { ['__proto__']: { polluted: true } }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(oddTexts, { maxLength: 3 }),
  fc.integer({ min: 5, max: 300 }).map(nested),
);

function nested(depth: number): unknown {
  return Array.from({ length: depth }).reduce<unknown>(
    (inside, _, index) => (index % 2 === 0 ? [inside] : { inside }),
    1,
  );
}

/** Names of keys that are not there. */
export const oddKeys = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'hasOwnProperty',
    'toString',
    '',
    'id',
    'revision',
    'status',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

/** One change of a JSON value somewhere: another value, one key less, or one more. */
export function mutated(value: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(value);
  const place = fc.constantFrom(...places);
  return fc.oneof(
    fc.tuple(place, oddValues).map(([path, odd]) => changeAt(value, path, () => odd)),
    place.map((path) => changeAt(value, path, () => undefined)),
    fc.tuple(place, oddKeys, oddValues).map(([path, key, odd]) =>
      changeAt(value, path, (there) => {
        if (Array.isArray(there)) return [...there, odd];
        return typeof there === 'object' && there !== null ? withKey(there, key, odd) : odd;
      }),
    ),
  );
}

/** An own key, whatever it is called. */
function withKey(object: object, key: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(object), [key, value]]);
}

type Place = readonly string[];

function placesIn(value: unknown): readonly [Place, ...Place[]] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const deeper = inside.flatMap(([key, there]) => placesIn(there).map((place) => [key, ...place]));
  return [[], ...deeper];
}

/** `undefined`: it is taken out. */
function changeAt(value: unknown, [key, ...rest]: Place, change: (there: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([own, there]) => {
    const after = own === key ? changeAt(there, rest, change) : there;
    return after === undefined ? [] : [[own, after] as const];
  });
  return Array.isArray(value) ? entries.map(([, there]) => there) : Object.fromEntries(entries);
}

/** Of a text that is JSON, one that is none, or is far too much. */
export function brokenJson(text: string): fc.Arbitrary<string> {
  return fc.oneof(
    fc.nat({ max: text.length }).map((length) => text.slice(0, length)),
    fc
      .tuple(fc.nat({ max: text.length }), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([at, inserted]) => `${text.slice(0, at)}${inserted}${text.slice(at)}`),
    fc.constantFrom('', ' ', '\ufeff{}', '{"a":1,"a":2}', '{"__proto__":{"a":1}}', '[', 'undefined', '{"a":1}{"a":1}'),
    fc.constantFrom(10, 5_000, 30_000).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
    fc.constant(JSON.stringify({ description: 'x'.repeat(70_000) })),
  );
}
