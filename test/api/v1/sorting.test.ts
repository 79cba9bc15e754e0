import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listForwards } from '../../../src/api/v1/forward-list.ts';
import { FORWARD_SORTS, type ForwardSort } from '../../../src/api/v1/forward-order.ts';
import type { ForwardListFilter } from '../../../src/api/v1/forward-schemas.ts';
import { type Forward, parseForwardSpec } from '../../../src/model/forward.ts';

const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');

interface Wish {
  readonly name: string | null;
  readonly router: string;
  readonly port: number;
  readonly host: number;
  readonly age: number;
  readonly id: string;
}

const wishes = fc.record({
  name: fc.option(fc.stringMatching(/^[a-z]{1,2}$/)),
  router: fc.constantFrom('r1', 'r2', 'r10'),
  port: fc.integer({ min: 1, max: 65_535 }),
  host: fc.integer({ min: 1, max: 255 }),
  age: fc.integer({ min: 0, max: 3 }),
  id: fc.uuid({ version: 4 }),
});

function forwardOf({ name, router, port, host, age, id }: Wish): Forward {
  const internal = host % 5 === 0 ? `fd00::${host.toString(16)}` : `10.0.0.${host}`;
  const spec = parseForwardSpec({ name, router, external_port: port, internal_address: internal });
  const createdAt = new Date(BEGIN + age).toISOString();
  return { ...spec, id, revision: 1, createdAt, updatedAt: new Date(BEGIN + port).toISOString() };
}

/** As the registry has them: oldest first, no two of one id. */
function listOf(all: readonly Wish[]): readonly Forward[] {
  const forwards = [...new Map(all.map((wish) => [wish.id, forwardOf(wish)])).values()];
  return forwards.sort((a, b) => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1));
}

const ids = (forwards: readonly { readonly id: string }[]) => forwards.map(({ id }) => id);

/** All pages, where what is listed may be another list for each. */
function walk(lists: Iterator<readonly Forward[]>, filter: ForwardListFilter): readonly string[] {
  const seen: string[] = [];
  for (let marker: string | null | undefined; marker !== null; ) {
    const forwards = lists.next().value ?? [];
    const page = listForwards(forwards, () => [], { ...filter, ...(marker === undefined ? {} : { marker }) });
    seen.push(...ids(page.forwards));
    marker = page.next;
  }
  return seen;
}

function* always<Value>(value: Value): Generator<Value, never> {
  for (;;) yield value;
}

const sorts = fc.constantFrom(...FORWARD_SORTS);
const lists = fc.array(wishes, { maxLength: 12 });

describe('the order', () => {
  test('pages join up to the whole, each forward once, and descending is ascending the other way round', () => {
    fc.assert(
      fc.property(lists, sorts, fc.integer({ min: 1, max: 13 }), (all, sort, limit) => {
        const forwards = listOf(all);
        const whole = walk(always(forwards), { sort });
        expect(walk(always(forwards), { sort, limit })).toEqual(whole);
        expect([...whole].sort()).toEqual(ids(forwards).sort());
        const opposite = FORWARD_SORTS.find((other) => other === (sort.startsWith('-') ? sort.slice(1) : `-${sort}`));
        expect(walk(always(forwards), { ...(opposite && { sort: opposite }) }).toReversed()).toEqual(whole);
      }),
    );
  });

  test('whoever stays is listed exactly once and in order, whatever comes and goes between the pages', () => {
    const parts = fc.record({ staying: lists, passing: fc.array(lists, { minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(parts, sorts, fc.integer({ min: 1, max: 4 }), ({ staying, passing }, sort, limit) => {
        const stay = new Set(staying.map(({ id }) => id));
        const others = passing.map((some) => some.filter(({ id }) => !stay.has(id)));
        function* changing(): Generator<readonly Forward[], never> {
          for (let turn = 0; ; turn++) yield listOf([...staying, ...(others[turn % others.length] ?? [])]);
        }
        const seen = walk(changing(), { sort, limit }).filter((id) => stay.has(id));
        expect(seen).toEqual(walk(always(listOf(staying)), { sort }));
      }),
    );
  });

  test.each<[ForwardSort, readonly number[]]>([
    ['name', [2, 1, 0, 3]],
    ['-name', [3, 0, 1, 2]],
    ['external_port', [0, 2, 3, 1]],
    ['internal_address', [1, 2, 0, 3]],
    ['router', [0, 2, 1, 3]],
    ['created_at', [3, 2, 1, 0]],
    ['-created_at', [0, 1, 2, 3]],
    ['updated_at', [0, 2, 3, 1]],
  ])('by %s', (sort, expected) => {
    const all: readonly Wish[] = [
      { name: 'b', router: 'r1', port: 80, host: 100 - 1, age: 3, id: 'a' },
      { name: 'a', router: 'r2', port: 10_000, host: 2, age: 2, id: 'b' },
      { name: 'B', router: 'r10', port: 443, host: 11, age: 1, id: 'c' },
      { name: null, router: 'r3', port: 5001, host: 5, age: 0, id: 'd' },
    ];
    expect(walk(always(listOf(all)), { sort })).toEqual(expected.map((index) => all[index]?.id));
  });
});

test.each(['x', '~', 'name~=a', 'created_at~2026~x', '-name~=a~x'])(
  'a marker %j is none of a list by name',
  (marker) => {
    expect(() => listForwards([], () => [], { sort: 'name', marker })).toThrow(/marker is not the next/);
  },
);
