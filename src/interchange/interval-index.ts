import type { Interval } from './intervals.ts';

type Find<Item> = (wanted: Interval) => readonly Item[];

/**
 * Finds what belongs to intervals that overlap a wanted one, without looking at the others: a binary tree over the
 * intervals by their beginnings, each node of which knows how far those below it reach. What belongs to several is found
 * as often.
 */
export function indexIntervals<Item>(entries: Iterable<readonly [interval: Interval, item: Item]>): Find<Item> {
  const sorted = [...entries].sort(([a], [b]) => (a.first < b.first ? -1 : Number(a.first > b.first)));
  const root = treeOf(sorted, 0, sorted.length);
  return (wanted) => {
    const found: Item[] = [];
    collect(root, wanted, found);
    return found;
  };
}

/** The same for intervals that come one by one. */
export interface GrowingIndex<Item> {
  add(interval: Interval, item: Item): void;
  find(wanted: Interval): readonly Item[];
}

/** Trees, each at least twice as large as the next one: so each interval is put into a new tree a few times only. */
export function createGrowingIndex<Item>(): GrowingIndex<Item> {
  const trees: { readonly entries: readonly (readonly [Interval, Item])[]; readonly find: Find<Item> }[] = [];
  return {
    add(interval, item) {
      let entries: readonly (readonly [Interval, Item])[] = [[interval, item]];
      for (let last = trees.at(-1); last !== undefined && last.entries.length <= entries.length; last = trees.at(-1)) {
        entries = [...last.entries, ...entries];
        trees.pop();
      }
      trees.push({ entries, find: indexIntervals(entries) });
    },
    find: (wanted) => trees.flatMap(({ find }) => find(wanted)),
  };
}

interface Node<Item> {
  readonly interval: Interval;
  readonly item: Item;
  /** The last number of all intervals here and below. */
  readonly reach: bigint;
  readonly before: Node<Item> | null;
  readonly behind: Node<Item> | null;
}

function treeOf<Item>(sorted: readonly (readonly [Interval, Item])[], start: number, end: number): Node<Item> | null {
  const middle = (start + end) >> 1;
  const entry = start < end ? sorted[middle] : undefined;
  if (entry === undefined) return null;
  const [interval, item] = entry;
  const [before, behind] = [treeOf(sorted, start, middle), treeOf(sorted, middle + 1, end)];
  let reach = interval.last;
  for (const below of [before, behind]) if (below !== null && below.reach > reach) reach = below.reach;
  return { interval, item, reach, before, behind };
}

function collect<Item>(node: Node<Item> | null, wanted: Interval, found: Item[]): void {
  if (node === null || node.reach < wanted.first) return;
  const { interval, item, before, behind } = node;
  collect(before, wanted, found);
  if (wanted.last < interval.first) return;
  if (wanted.first <= interval.last) found.push(item);
  collect(behind, wanted, found);
}
