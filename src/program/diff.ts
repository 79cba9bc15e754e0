import type { ForwardId } from '../model/ids.ts';
import { type Program, type Rule, sameRule } from './rule.ts';

/** The smallest step from one program to another: first `remove`, then `add`, as one transaction. */
export interface Change {
  readonly remove: readonly Rule[];
  readonly add: readonly Rule[];
}

/** The change that makes `from` into `to`; only the forwards in `among` are looked at, default all. */
export function diff(from: Program, to: Program, among: Iterable<ForwardId> = union(from, to)): Change {
  const remove: Rule[] = [];
  const add: Rule[] = [];
  for (const id of among) {
    const before = from.get(id);
    const after = to.get(id);
    if (before !== undefined && after !== undefined && sameRule(before, after)) continue;
    if (before !== undefined) remove.push(before);
    if (after !== undefined) add.push(after);
  }
  return { remove, add };
}

export function isEmpty(change: Change): boolean {
  return change.remove.length === 0 && change.add.length === 0;
}

function* union(from: Program, to: Program): Iterable<ForwardId> {
  yield* from.keys();
  for (const id of to.keys()) if (!from.has(id)) yield id;
}
