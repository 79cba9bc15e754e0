import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NeutronFault } from '../../../src/api/neutron/faults.ts';
import { readListQuery } from '../../../src/api/neutron/list-query.ts';
import { answerList, listed } from '../../../src/api/neutron/listing.ts';
import { pick, textAt } from './gateway-under-test.ts';

const RULES = {
  collection: 'things',
  filters: ['id', 'size', 'colour', 'tags', 'parts'],
  sortKeys: ['id', 'size', 'colour'],
};
const BASE = 'http://127.0.0.1:9797/v2.0/things';

interface Thing {
  readonly id: string;
  readonly [key: string]: unknown;
}

const THINGS: readonly Thing[] = [
  { id: 'c', size: 9, colour: 'red', tags: ['x', 'y'], parts: [{ kind: 'lid', weight: 2 }] },
  { id: 'a', size: 10, colour: 'red', isNew: true },
  { id: 'd', colour: '' },
  { id: 'b', size: 10, colour: null },
];

function ask(search: string, things: readonly Thing[] = THINGS): unknown {
  const query = new URLSearchParams(search);
  return answerList(things.map(listed), readListQuery(query, RULES), RULES, { base: BASE, search: query });
}

function ids(answer: unknown): readonly unknown[] {
  const things = pick(answer, 'things');
  return Array.isArray(things) ? things.map((thing) => pick(thing, 'id')) : [];
}

test.each<[string, readonly string[]]>([
  ['', ['a', 'b', 'c', 'd']],
  ['size=10', ['a', 'b']],
  ['size=10&size=9', ['a', 'b', 'c']],
  ['size=10&colour=red', ['a']],
  // What is not there (`b`) equals nothing.
  ['colour=', ['d']],
  ['tags=y', ['c']],
  ['parts=kind=lid', ['c']],
  ['parts=weight=3', []],
  ['size=010', []],
  ['sort_key=id&sort_dir=desc', ['d', 'c', 'b', 'a']],
  // Numbers as numbers; what is not there comes first.
  ['sort_key=size&sort_dir=asc', ['d', 'c', 'a', 'b']],
  ['sort_key=size&sort_dir=desc&sort_key=id&sort_dir=desc', ['b', 'a', 'c', 'd']],
  ['limit=0', ['a', 'b', 'c', 'd']],
  ['limit=2', ['a', 'b']],
  ['limit=2&marker=b', ['c', 'd']],
  ['limit=2&marker=bb', ['c', 'd']],
  ['limit=2&marker=d', []],
  ['limit=1&marker=d&page_reverse=True', ['c']],
  ['limit=3&marker=c&page_reverse=true', ['a', 'b']],
  ['limit=3&page_reverse=True', ['b', 'c', 'd']],
  ['limit=2&marker=c&sort_key=size&sort_dir=asc', ['a', 'b']],
  // Without a limit there are no pages.
  ['marker=c', ['a', 'b', 'c', 'd']],
])('%j lists %j', (search, expected) => {
  expect(ids(ask(search))).toEqual(expected);
});

test('only the fields that are asked for are answered', () => {
  expect(ask('fields=size&fields=colour&limit=2')).toMatchObject({
    things: [
      { size: 10, colour: 'red' },
      { size: 10, colour: null },
    ],
  });
  expect(ask('fields=none&id=a')).toEqual({ things: [{}] });
});

describe('links', () => {
  const link = (rel: string, search: string) => ({ rel, href: `${BASE}?${search}` });

  test('are those of Neutron', () => {
    expect(pick(ask('limit=2&sort_key=id&sort_dir=asc'), 'things_links')).toEqual([
      link('next', 'limit=2&sort_key=id&sort_dir=asc&marker=b'),
      link('previous', 'limit=2&sort_key=id&sort_dir=asc&marker=a&page_reverse=True'),
    ]);
    expect(pick(ask('limit=1&page_reverse=True&marker=d'), 'things_links')).toEqual([
      link('next', 'limit=1&marker=c'),
      link('previous', 'limit=1&marker=c&page_reverse=True'),
    ]);
  });

  test('end with the last page, and there are none without a limit', () => {
    expect(pick(ask('limit=3&marker=b'), 'things_links')).toEqual([
      link('previous', 'limit=3&marker=c&page_reverse=True'),
    ]);
    expect(pick(ask('limit=3&marker=b&page_reverse=True'), 'things_links')).toEqual([link('next', 'limit=3&marker=a')]);
    expect(ask('')).not.toHaveProperty('things_links');
  });

  test('lead past everything once, whatever the order and the size of pages', () => {
    const things = fc.uniqueArray(
      fc.record({ id: fc.stringMatching(/^[\da-f]{1,3}$/), size: fc.integer({ min: 0, max: 3 }) }),
      { selector: ({ id }) => id },
    );
    const order = fc.constantFrom('', '&sort_key=size&sort_dir=asc', '&sort_key=size&sort_dir=desc');
    fc.assert(
      fc.property(things, fc.integer({ min: 1, max: 5 }), order, fc.boolean(), (all, limit, sorts, backwards) => {
        const whole = ids(ask(sorts.slice(1), all));
        const met: unknown[] = [];
        let search: string | undefined = `limit=${limit}${sorts}${backwards ? '&page_reverse=True' : ''}`;
        while (search !== undefined && met.length <= whole.length) {
          const page: unknown = ask(search, all);
          if (backwards) met.unshift(...ids(page));
          else met.push(...ids(page));
          search = followed(page, backwards ? 'previous' : 'next');
        }
        expect(met).toEqual(whole);
      }),
    );
  });

  function followed(page: unknown, rel: string): string | undefined {
    const links = new Map(Object.entries(page ?? {})).get('things_links');
    const there = Array.isArray(links) ? links.find((one) => pick(one, 'rel') === rel) : undefined;
    // Neutron leads to an empty page after one that is exactly full, and from there nowhere.
    return there === undefined || ids(page).length === 0 ? undefined : textAt(there, 'href').slice(BASE.length + 1);
  }
});

test.each([
  ['nonsense=1', 'HTTPBadRequest', "['nonsense'] is invalid attribute for filtering"],
  ['a=1&b=2', 'HTTPBadRequest', "['a', 'b'] is invalid attribute for filtering"],
  ['limit=-1', 'BadRequest', "Bad limit request: Limit must be an integer 0 or greater and not '-1'."],
  ['limit=x', 'BadRequest', "Bad limit request: Limit must be an integer 0 or greater and not 'x'."],
  ['sort_key=id', 'HTTPBadRequest', 'The number of sort_keys and sort_dirs must be same'],
  ['sort_key=tags&sort_dir=asc', 'HTTPBadRequest', "['tags'] is invalid attribute for sort_keys"],
  [
    'sort_key=id&sort_dir=up',
    'HTTPBadRequest',
    "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'",
  ],
  ['limit=1&marker=zz&sort_key=size&sort_dir=asc', 'BadRequest', 'Bad things request: there is no marker zz any more.'],
])('%j is refused', (search, type, message) => {
  const refused = (): unknown => {
    try {
      return ask(search);
    } catch (error) {
      return error;
    }
  };
  expect(refused()).toBeInstanceOf(NeutronFault);
  expect(refused()).toMatchObject({ type, message });
});
