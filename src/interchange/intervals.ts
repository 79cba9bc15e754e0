import { addressOf, type Family } from '../model/address.ts';

/** Whole numbers from `first` to `last`. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** A set of numbers (addresses, ports), as disjoint intervals in order. */
export type Intervals = readonly Interval[];

export function intersect(a: Intervals, b: Intervals): Intervals {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      const first = later(one.first, other.first);
      const last = earlier(one.last, other.last);
      return first <= last ? [{ first, last }] : [];
    }),
  );
}

export function subtract(a: Intervals, b: Intervals): Intervals {
  return b.reduce<Intervals>((left, hole) => left.flatMap((one) => around(one, hole)), a);
}

/** The union, with neighbours as one. */
export function unite(a: Intervals, b: Intervals): Intervals {
  const sorted = [...a, ...b].sort((one, other) => (one.first < other.first ? -1 : Number(one.first > other.first)));
  const united: Interval[] = [];
  for (const { first, last } of sorted) {
    const before = united.at(-1);
    if (before === undefined || before.last + 1n < first) united.push({ first, last });
    else if (before.last < last) united[united.length - 1] = { first: before.first, last };
  }
  return united;
}

export function overlap(a: Intervals, b: Intervals): boolean {
  return a.some((one) => b.some((other) => one.first <= other.last && other.first <= one.last));
}

/** All addresses of a family. */
export function addressSpace(family: Family): Interval {
  return { first: 0n, last: (1n << widthOf(family)) - 1n };
}

/** The fewest networks that are together exactly these addresses. */
export function networksOf(family: Family, addresses: Intervals): readonly string[] {
  return addresses.flatMap((interval) => [...networksIn(family, interval)]);
}

function* networksIn(family: Family, { first, last }: Interval): Iterable<string> {
  const width = widthOf(family);
  for (let from = first; from <= last; ) {
    let bits = 0n;
    while (bits < width && from % (2n << bits) === 0n && from + (2n << bits) - 1n <= last) bits++;
    yield `${addressOf(family, from).text}/${width - bits}`;
    from += 1n << bits;
  }
}

function around({ first, last }: Interval, hole: Interval): Intervals {
  if (hole.last < first || last < hole.first) return [{ first, last }];
  return [
    ...(first < hole.first ? [{ first, last: hole.first - 1n }] : []),
    ...(hole.last < last ? [{ first: hole.last + 1n, last }] : []),
  ];
}

function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function later(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function widthOf(family: Family): bigint {
  return family === 4 ? 32n : 128n;
}
