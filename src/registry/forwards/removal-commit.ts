import { randomUUID } from 'node:crypto';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import { removalKey } from '../keys.ts';
import type { RemovalIndex } from './removal-index.ts';
import { writeRemoval } from './removal-record.ts';

/** Ids in one value, which has some hundred kilobytes then. */
const MOST_IN_ONE = 10_000;

/** So many removed forwards are remembered, and at least those of the last commit. The oldest are forgotten first. */
const MOST_REMEMBERED = 20_000;

/** One change of a forward; null: it is not there. */
interface Step {
  readonly before: Pick<Forward, 'id' | 'router'> | null;
  /** Its router then. */
  readonly after: RouterId | null;
}

/** What a commit that makes these changes has to put and delete, so that later starts know which forwards were removed on purpose. */
export function removalCommit(
  removals: RemovalIndex,
  steps: readonly Step[],
  now = Date.now(),
): Required<Pick<Commit, 'puts' | 'deletes'>> {
  const ids = steps.flatMap(({ before, after }) => (before === null || before.router === after ? [] : [before.id]));
  if (ids.length === 0) return { puts: [], deletes: [] };
  return {
    puts: chunksOf(ids).map((some) => ({ key: removalKey(now, randomUUID()), value: writeRemoval(some) })),
    deletes: forgotten(removals, removals.count() + ids.length - MOST_REMEMBERED),
  };
}

/** The keys of the oldest removals, which name so many forwards at the least. */
function forgotten(removals: RemovalIndex, count: number): readonly string[] {
  const keys: string[] = [];
  let left = count;
  for (const { key, ids } of removals.all()) {
    if (left <= 0) break;
    keys.push(key);
    left -= ids.length;
  }
  return keys;
}

function chunksOf(ids: readonly ForwardId[]): readonly (readonly ForwardId[])[] {
  const count = Math.ceil(ids.length / MOST_IN_ONE);
  return Array.from({ length: count }, (_, at) => ids.slice(at * MOST_IN_ONE, (at + 1) * MOST_IN_ONE));
}
