import { randomUUID } from 'node:crypto';
import type { Forward, ForwardSpec } from '../../model/forward.ts';
import { samePorts } from '../../model/port-range.ts';
import type { RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import { teardownKey } from '../keys.ts';
import { samePlace } from './forward-place.ts';
import type { StoredForward } from './forward-record.ts';
import type { TeardownIndex } from './teardown-index.ts';
import { writeTeardown } from './teardown-record.ts';

interface Step {
  readonly before: Forward | null;
  readonly after: Pick<StoredForward, 'spec'> | null;
}

/** So many forwards are in one record, which stays well below what stores take as one value (etcd: 1.5 MiB). */
const MOST_IN_ONE = 1_000;

/**
 * The commit, which also writes down the forwards that lead flows no more as they did, so that every node can end those
 * flows, whatever happens between this commit and its next pass. Nothing where no node has the router.
 */
export function withTeardowns(
  commit: Commit,
  steps: readonly Step[],
  teardowns: TeardownIndex,
  isAnywhere: (router: RouterId) => boolean,
): Commit {
  const retired = steps.flatMap(({ before, after }) => (before === null || leadsAlike(before, after) ? [] : [before]));
  const routers = [...Map.groupBy(retired, ({ router }) => router)].filter(([router]) => isAnywhere(router));
  if (routers.length === 0) return commit;
  const puts = routers.flatMap(([router, forwards]) => recordsOf(router, forwards));
  const surplus = routers.flatMap(([router]) => {
    const added = puts.filter((put) => put.router === router).reduce((sum, { value }) => sum + value.length, 0);
    return teardowns.surplus(router, added);
  });
  const deletes = new Set(surplus.map(({ router, id }) => teardownKey(router, id)));
  return {
    ...commit,
    puts: [...(commit.puts ?? []), ...puts.map(({ key, value }) => ({ key, value }))],
    deletes: [...(commit.deletes ?? []), ...deletes],
  };
}

function recordsOf(router: RouterId, forwards: readonly Forward[]) {
  const count = Math.ceil(forwards.length / MOST_IN_ONE);
  return Array.from({ length: count }, (_, at) => ({
    router,
    key: teardownKey(router, randomUUID()),
    value: writeTeardown(forwards.slice(at * MOST_IN_ONE, (at + 1) * MOST_IN_ONE)),
  }));
}

/** Whether flows that went by `before` go where `after` leads them; one that was switched off led none. */
function leadsAlike(before: Forward, after: Step['after']): boolean {
  if (!before.enabled) return true;
  if (after === null || !after.spec.enabled) return false;
  return samePlace(before, after.spec) && sameTarget(before, after.spec);
}

function sameTarget(a: ForwardSpec, b: ForwardSpec): boolean {
  return a.internalAddress.text === b.internalAddress.text && samePorts(a.internalPorts, b.internalPorts);
}
