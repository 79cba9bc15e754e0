import type { Forward } from '../../model/forward.ts';
import type { RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import { forwardKey, guardKey, nameKeyOf } from '../keys.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import { type StoredForward, writeForward } from './forward-record.ts';
import { removalCommit } from './removal-commit.ts';

/**
 * The commit that leads one forward from `before` to `after` (null: it is not there). It succeeds only where
 * the mirror has its routers' forwards as the store has them, so what was decided on the mirror still holds.
 */
export function forwardCommit(mirror: ForwardMirror, before: Forward | null, after: StoredForward | null): Commit {
  const routers = new Set([before?.router, after?.spec.router].filter((router) => router !== undefined));
  const guards = Array.from(routers, (router) => ({ router, key: guardKey(router) }));
  const name = rename(before, after);
  const removed = removalCommit(mirror.removals, [{ before, after: after?.spec.router ?? null }]);
  const keyBefore = before === null ? null : forwardKey(before.router, before.id);
  const keyAfter = after === null ? null : forwardKey(after.spec.router, after.id);
  return {
    checks: [
      ...guards.map(({ router, key }) => ({ key, revision: mirror.guardRevision(router) })),
      ...name.puts.map(({ key }) => ({ key, revision: 0 })),
    ],
    puts: [
      ...guards.filter(({ router }) => isNeeded(router)).map(({ key }) => ({ key, value: '{}' })),
      ...name.puts,
      ...removed.puts,
      ...(after === null || keyAfter === null ? [] : [{ key: keyAfter, value: writeForward(after) }]),
    ],
    deletes: [
      ...guards.filter(({ router }) => !isNeeded(router)).map(({ key }) => key),
      ...name.deletes,
      ...removed.deletes,
      ...(keyBefore === null || keyBefore === keyAfter ? [] : [keyBefore]),
    ],
  };

  /** A router without forwards has no guard: nobody can have decided anything on forwards it does not have. */
  function isNeeded(router: RouterId): boolean {
    if (after?.spec.router === router) return true;
    const forwards = mirror.index.ofRouter(router);
    return forwards.size > (before !== null && forwards.has(before.id) ? 1 : 0);
  }
}

function rename(before: Forward | null, after: StoredForward | null): Required<Pick<Commit, 'puts' | 'deletes'>> {
  const [old, key] = [before && nameKeyOf(before), after && nameKeyOf(after.spec)];
  if (key === old) return { puts: [], deletes: [] };
  return {
    puts: after === null || key === null ? [] : [{ key, value: JSON.stringify(after.id) }],
    deletes: old === null ? [] : [old],
  };
}
