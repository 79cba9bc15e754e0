import type { Document } from './documents.ts';
import { NeutronFault } from './faults.ts';
import type { Listable, ListQuery } from './list-query.ts';

/** One thing of a collection. */
export interface Listed {
  readonly id: string;
  /** What filters and sorting look at; of a list, a filter takes any item, and the first is what is sorted by. */
  readonly attributes: Document;
  /** How it is answered; asked for only where it is. */
  readonly print: () => Document;
}

/** A thing that is looked at as it is answered. */
export function listed(document: Document & { readonly id: string }): Listed {
  return { id: document.id, attributes: document, print: () => document };
}

/** Where the list is. */
export interface ListUrl {
  /** From the scheme to the path. */
  readonly base: string;
  readonly search: URLSearchParams;
}

/**
 * The answer to a list: filtered, sorted (by id in the end), cut out, with links to the pages around. Whoever follows
 * them, sorted by id, meets whatever is there all the while exactly once. Error: `BadRequest` for a marker that is gone,
 * where only the thing itself could tell its place.
 */
export function answerList(
  things: readonly Listed[],
  query: ListQuery,
  { collection }: Listable,
  url: ListUrl,
): Document {
  const found = things.filter((thing) => isWanted(thing, query)).sort((a, b) => compareListed(a, b, query));
  const page = cutPage(found, markerOf(things, query, collection), query);
  const links = query.limit === null ? [] : linksOf(page, query, url);
  return {
    [collection]: page.map((thing) => selectFields(thing.print(), query.fields)),
    ...(links.length === 0 ? {} : { [`${collection}_links`]: links }),
  };
}

/** Only these; none: all. */
export function selectFields(document: Document, fields: readonly string[]): Document {
  if (fields.length === 0) return document;
  return Object.fromEntries(Object.entries(document).filter(([key]) => fields.includes(key)));
}

/** Whether the filters of a query let it through. */
export function isWanted({ attributes }: Listed, { filters }: Pick<ListQuery, 'filters'>): boolean {
  for (const [attribute, values] of filters) {
    if (!values.some((value) => hasValue(attributes[attribute], value))) return false;
  }
  return true;
}

function hasValue(actual: unknown, wanted: string): boolean {
  if (Array.isArray(actual)) return actual.some((item) => hasValue(item, wanted));
  // As in SQL, what is not there equals nothing, and so not the empty text (neutron-lib, db/model_query.py).
  if (actual === null || actual === undefined) return false;
  if (typeof actual === 'boolean') return /^(true|1|t|yes|y|on)$/i.test(wanted) === actual;
  if (typeof actual !== 'object') return printScalar(actual) === wanted;
  return Object.entries(actual).some(([key, value]) => `${key}=${printScalar(value)}` === wanted);
}

function compareListed(a: Listed, b: Listed, { sorts }: Pick<ListQuery, 'sorts'>): number {
  for (const { key, descending } of sorts) {
    const order = compareValues(a.attributes[key], b.attributes[key]);
    if (order !== 0) return descending ? -order : order;
  }
  return compareValues(a.id, b.id);
}

/** What is not there comes first. */
function compareValues(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) return compareValues(a[0], b[0]);
  const [left, right] = [a ?? null, b ?? null];
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [text, other] = [printScalar(left), printScalar(right)];
  return text < other ? -1 : Number(text > other);
}

function printScalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The thing that has the marker as its id, whether it is wanted or not; `null`: there is no marker. */
function markerOf(things: readonly Listed[], { marker, limit, sorts }: ListQuery, collection: string): Listed | null {
  if (marker === null || limit === null) return null;
  const there = things.find(({ id }) => id === marker);
  if (there !== undefined) return there;
  const needsIdAlone = sorts.every(({ key }) => key === 'id');
  if (needsIdAlone) return listed({ id: marker });
  throw new NeutronFault(
    'BadRequest',
    `Bad ${collection} request: there is no marker ${marker.slice(0, 64)} any more.`,
  );
}

function cutPage(found: readonly Listed[], marker: Listed | null, query: ListQuery): readonly Listed[] {
  const { limit, isReverse } = query;
  if (limit === null) return found;
  if (isReverse) {
    const before = marker === null ? found : found.filter((thing) => compareListed(thing, marker, query) < 0);
    return before.slice(-limit);
  }
  const after = marker === null ? found : found.filter((thing) => compareListed(thing, marker, query) > 0);
  return after.slice(0, limit);
}

interface Link {
  readonly rel: 'next' | 'previous';
  readonly href: string;
}

/** Neutron links to where there is nothing more after a page that is exactly full, and before the first. */
function linksOf(page: readonly Listed[], { limit, isReverse }: ListQuery, url: ListUrl): readonly Link[] {
  const isShort = page.length < (limit ?? 0);
  const next: Link = { rel: 'next', href: linkTo(url, page.at(-1), false) };
  const previous: Link = { rel: 'previous', href: linkTo(url, page[0], true) };
  return [...(isShort && !isReverse ? [] : [next]), ...(isShort && isReverse ? [] : [previous])];
}

function linkTo({ base, search }: ListUrl, marker: Listed | undefined, isReverse: boolean): string {
  const link = new URLSearchParams(search);
  link.delete('marker');
  link.delete('page_reverse');
  if (marker !== undefined) link.set('marker', marker.id);
  if (isReverse) link.set('page_reverse', 'True');
  return `${base}?${link.toString()}`;
}
