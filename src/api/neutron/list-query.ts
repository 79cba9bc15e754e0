import { badRequest, NeutronFault } from './faults.ts';
import { printTexts } from './python-text.ts';

/** What a collection can be asked for. */
export interface Listable {
  /** As it stands in answers: `port_forwardings`. */
  readonly collection: string;
  readonly filters: readonly string[];
  readonly sortKeys: readonly string[];
}

export interface ListQuery {
  /** For each attribute, the values of which any will do. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** Attributes to be answered; none: all. */
  readonly fields: readonly string[];
  readonly sorts: readonly { readonly key: string; readonly descending: boolean }[];
  /** So many at most; `null`: all. */
  readonly limit: number | null;
  /** The id from which on a page is wanted. */
  readonly marker: string | null;
  /** The page that ends before the marker, not the one that begins after it. */
  readonly isReverse: boolean;
}

const RESERVED = ['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse'];

/** Reads the query of a list. Errors: `HTTPBadRequest`, `BadRequest`, in Neutron's words. */
export function readListQuery(query: URLSearchParams, { filters, sortKeys }: Listable): ListQuery {
  const keys = [...new Set(query.keys())].filter((key) => !RESERVED.includes(key));
  const unknown = keys.filter((key) => !filters.includes(key));
  if (unknown.length > 0) throw badRequest(`${printTexts(unknown)} is invalid attribute for filtering`);
  return {
    filters: new Map(keys.map((key) => [key, query.getAll(key)])),
    fields: readFields(query),
    sorts: readSorts(query, sortKeys),
    limit: readLimit(query.get('limit')),
    marker: query.get('marker'),
    isReverse: query.get('page_reverse')?.toLowerCase() === 'true',
  };
}

export function readFields(query: URLSearchParams): readonly string[] {
  return query.getAll('fields').filter((field) => field !== '');
}

function readSorts(query: URLSearchParams, sortKeys: readonly string[]): ListQuery['sorts'] {
  const [keys, directions] = [query.getAll('sort_key'), query.getAll('sort_dir')];
  if (keys.length !== directions.length) throw badRequest('The number of sort_keys and sort_dirs must be same');
  const unknown = keys.filter((key) => !sortKeys.includes(key));
  if (unknown.length > 0) throw badRequest(`${printTexts(unknown)} is invalid attribute for sort_keys`);
  const wrong = directions.filter((direction) => direction !== 'asc' && direction !== 'desc');
  if (wrong.length > 0) {
    throw badRequest(`${printTexts(wrong)} is invalid value for sort_dirs, valid value is 'asc' and 'desc'`);
  }
  return keys.map((key, index) => ({ key, descending: directions[index] === 'desc' }));
}

/** 0 is no limit. */
function readLimit(text: string | null): number | null {
  if (text === null) return null;
  if (!/^\d{1,9}$/.test(text)) {
    const reason = `Limit must be an integer 0 or greater and not '${text.slice(0, 40)}'`;
    throw new NeutronFault('BadRequest', `Bad limit request: ${reason}.`);
  }
  return Number(text) || null;
}
