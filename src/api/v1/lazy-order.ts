/**
 * The items in the order that `compare` says, each found when it is asked for: the first few of many cost little more than
 * one look at all of them.
 */
export function* inOrder<Item extends object>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Generator<Item, void> {
  const heap = [...items];
  for (let at = (heap.length >>> 1) - 1; at >= 0; at--) sink(heap, at, compare);
  for (let first = heap[0]; first !== undefined; first = heap[0]) {
    yield first;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    sink(heap, 0, compare);
  }
}

/** Moves the item down until none below it comes before it. */
function sink<Item extends object>(heap: Item[], start: number, compare: (a: Item, b: Item) => number): void {
  const item = heap[start];
  let at = start;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (item === undefined || left === undefined) return;
    const isRight = right !== undefined && compare(right, left) < 0;
    const least = isRight ? right : left;
    if (compare(item, least) <= 0) return;
    heap[at] = least;
    at = 2 * at + (isRight ? 2 : 1);
    heap[at] = item;
  }
}
