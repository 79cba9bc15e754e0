import type { RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import { drainKey, forwardKey, guardKey, nameKeyOf } from '../keys.ts';
import type { PlannedChange } from './batch-plan.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import { writeForward } from './forward-record.ts';
import { removalCommit } from './removal-commit.ts';

/**
 * The commit that makes all changes at once. It checks the guard of every router it touches, so whoever changed a
 * forward there meanwhile makes it fail; and that names which nobody had are still free.
 */
export function batchCommit(mirror: ForwardMirror, changes: readonly PlannedChange[]): Commit {
  if (changes.length === 0) return {};
  const counts = countAfterwards(mirror, changes);
  const guards = Array.from(counts, ([router, count]) => ({ router, key: guardKey(router), isNeeded: count > 0 }));
  const names = renames(mirror, changes);
  const puts = changes.flatMap(({ after }) => {
    return after === null ? [] : [{ key: forwardKey(after.spec.router, after.id), value: writeForward(after) }];
  });
  const removed = removalCommit(
    mirror.removals,
    changes.map(({ before, after }) => ({ before, after: after?.spec.router ?? null })),
  );
  const kept = new Set(puts.map(({ key }) => key));
  const left = changes.flatMap(({ before }) => (before === null ? [] : [forwardKey(before.router, before.id)]));
  return {
    checks: [...guards.map(({ router, key }) => ({ key, revision: mirror.guardRevision(router) })), ...names.checks],
    puts: [
      ...guards.filter(({ isNeeded }) => isNeeded).map(({ key }) => ({ key, value: '{}' })),
      ...names.puts,
      ...removed.puts,
      ...puts,
    ],
    deletes: [
      ...guards.filter(({ isNeeded }) => !isNeeded).map(({ key }) => key),
      ...names.deletes,
      ...removed.deletes,
      ...left.filter((key) => !kept.has(key)),
      ...endedDrains(mirror, changes),
    ],
  };
}

/** A forward that is there again, by the id that it had, does not drain any more, nor will it when it is removed next. */
function endedDrains(mirror: ForwardMirror, changes: readonly PlannedChange[]): readonly string[] {
  return changes.flatMap(({ after }) => {
    const isDraining = after !== null && mirror.drains.has(after.spec.router, after.id);
    return isDraining ? [drainKey(after.spec.router, after.id)] : [];
  });
}

/** How many forwards each router that is touched has in the end. */
function countAfterwards(mirror: ForwardMirror, changes: readonly PlannedChange[]): ReadonlyMap<RouterId, number> {
  const counts = new Map<RouterId, number>();
  const add = (router: RouterId, count: number): void => {
    counts.set(router, (counts.get(router) ?? mirror.index.ofRouter(router).size) + count);
  };
  for (const { before, after } of changes) {
    if (before !== null) add(before.router, -1);
    if (after !== null) add(after.spec.router, 1);
  }
  return counts;
}

/**
 * A name that passes from one forward to another needs no check of its own: nobody can have taken it from its owner
 * without moving the guard of the owner's router.
 */
function renames(mirror: ForwardMirror, changes: readonly PlannedChange[]): Required<Omit<Commit, 'durable'>> {
  const moved = changes
    .map(({ before, after }) => ({ old: before && nameKeyOf(before), key: after && nameKeyOf(after.spec), after }))
    .filter(({ old, key }) => old !== key);
  const puts = moved.flatMap(({ key, after }) => (key === null || after === null ? [] : [{ key, after }]));
  const taken = new Set<string | null>(puts.map(({ key }) => key));
  return {
    checks: puts
      .filter(({ after }) => mirror.index.namesake(after.spec) === undefined)
      .map(({ key }) => ({ key, revision: 0 })),
    puts: puts.map(({ key, after }) => ({ key, value: JSON.stringify(after.id) })),
    deletes: moved.flatMap(({ old }) => (old === null || taken.has(old) ? [] : [old])),
  };
}
