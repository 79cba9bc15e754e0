import { type Address, addressValue } from '../../model/address.ts';
import type { Forward } from '../../model/forward.ts';
import { requestMalformed } from '../validation.ts';
import { inOrder } from './lazy-order.ts';

/** What is sorted by, as a text that sorts as the thing itself does. Forwards without a name come last. */
const KEYS = {
  created_at: ({ createdAt }: Forward) => createdAt,
  updated_at: ({ updatedAt }: Forward) => updatedAt,
  name: ({ name }: Forward) => (name === null ? '~' : `=${name}`),
  router: ({ router }: Forward) => router,
  external_port: ({ externalPorts: { first } }: Forward) => String(first).padStart(5, '0'),
  internal_address: ({ internalAddress }: Forward) => `${internalAddress.family}${sortable(internalAddress)}`,
} as const;

type Key = keyof typeof KEYS;
export type ForwardSort = Key | `-${Key}`;

function isKey(text: string): text is Key {
  return Object.hasOwn(KEYS, text);
}

const ASCENDING: readonly Key[] = Object.keys(KEYS).filter(isKey);
/** All sorts there are; with a minus, descending. */
export const FORWARD_SORTS: readonly ForwardSort[] = [...ASCENDING, ...ASCENDING.map((key): ForwardSort => `-${key}`)];

/** An order of forwards in which no two are equal, and places in it that stay where they are while forwards come and go. */
export interface ForwardOrder {
  /** Those behind the place, in order, of which the first come at little cost; `null`: all. `forwards`: oldest first. */
  behind(place: Place | null, forwards: readonly Forward[]): Iterable<Forward>;
  /** The place of the forward, as a text. */
  printPlace(forward: Forward): string;
  /** The inverse. Error: `request_malformed` for a text that is no place in this order. */
  parsePlace(text: string): Place;
}

interface Place {
  readonly key: string;
  readonly id: string;
}

export function forwardOrder(sort: ForwardSort): ForwardOrder {
  const isDescending = sort.startsWith('-');
  const name = isDescending ? sort.slice(1) : sort;
  const keyOf = KEYS[isKey(name) ? name : 'created_at'];
  const placeOf = (forward: Forward): Place => ({ key: keyOf(forward), id: forward.id });
  const compare = (a: Place, b: Place): number => (isDescending ? -comparePlaces(a, b) : comparePlaces(a, b));

  return {
    behind(place, forwards) {
      if (name === 'created_at') {
        const left = place === null ? forwards : forwards.filter((forward) => compare(placeOf(forward), place) > 0);
        return isDescending ? left.toReversed() : left;
      }
      const placed = forwards.map((forward) => ({ forward, ...placeOf(forward) }));
      const left = place === null ? placed : placed.filter((one) => compare(one, place) > 0);
      return inOrder(left, compare).map(({ forward }) => forward);
    },

    printPlace: (forward) => [sort, keyOf(forward), forward.id].join('~'),

    parsePlace(text) {
      const [start, end] = [text.indexOf('~'), text.lastIndexOf('~')];
      if (start === end || text.slice(0, start) !== sort) {
        throw requestMalformed('marker is not the next of a page in this order', 'marker');
      }
      return { key: text.slice(start + 1, end), id: text.slice(end + 1) };
    },
  };
}

function comparePlaces(a: Place, b: Place): number {
  return a.key === b.key ? compareTexts(a.id, b.id) : compareTexts(a.key, b.key);
}

/** Of one family. There are many of IPv4, and big numbers take ten times as long. */
function sortable(address: Address): string {
  if (address.family === 6) return addressValue(address).toString(16).padStart(32, '0');
  return address.text.replaceAll(/\d+/g, (octet) => octet.padStart(3, '0'));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
