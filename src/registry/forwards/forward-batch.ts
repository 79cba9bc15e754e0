import { inItem } from '../../model/batch-item.ts';
import { hatobaError } from '../../model/errors.ts';
import type { ForwardSpec } from '../../model/forward.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import type { BatchOutcome, ForwardBatch, ForwardChange, WantedForward } from '../registry.ts';
import type { Scope } from '../tenants/scope.ts';
import { batchCommit } from './batch-commit.ts';
import { refuseUnfit } from './batch-fitness.ts';
import { matchItems } from './batch-matching.ts';
import { type PlannedChange, planRemovals, planWanted } from './batch-plan.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import type { StoredForward } from './forward-record.ts';
import type { ForwardView } from './forward-view.ts';
import { withTeardowns } from './teardown-commit.ts';

/** What a batch is decided on. */
interface BatchGrounds {
  readonly mirror: ForwardMirror;
  readonly scope: Scope;
  readonly gatewaysOf: (router: RouterId) => Gateways;
  /** Whether any node has the router. */
  readonly isAnywhere: (router: RouterId) => boolean;
}

/**
 * The commit that brings the forwards to what the batch wants, decided on what they are together in the end.
 * It succeeds only where the mirror has all forwards that it rests on as the store has them.
 * Errors: `item_repeated`, `name_taken`, `forward_conflict`, those of `Scope`, each naming the item; `store_not_empty`,
 * `quota_exceeded`.
 */
export function decideBatch(
  { mirror, scope, gatewaysOf, isAnywhere }: BatchGrounds,
  batch: ForwardBatch,
): { readonly commit: Commit; readonly result: (revision: number) => BatchOutcome } {
  const { index } = mirror;
  if (batch.intoEmpty) refuseNonEmpty(scope.view);
  const items = batch.wanted.map((item, at) => inItem(at, () => claim(item, scope)));
  const matches = matchItems(items, index, scope.view);
  const wanted = planWanted(items, matches);
  const changes = [...wanted, ...planRemovals(batch, matches, scope.view)];
  refuseUnfit({ index, scope, gatewaysOf: batch.kind === 'restore' ? () => ({}) : gatewaysOf }, changes);
  const whole = withTeardowns(batchCommit(mirror, changes), changes, mirror.teardowns, isAnywhere);
  const commit = scope.ration(whole, countAdded(changes));
  return {
    commit: batch.dryRun ? {} : commit,
    result: (revision) => ({
      revision,
      changes: changes.map((change) => printChange(change, batch)),
      unchanged: batch.wanted.length - wanted.length,
    }),
  };
}

/** The item as one that is of the scope. */
function claim(item: WantedForward, scope: Scope): WantedForward {
  if (item.id !== null) scope.admitId(item.id);
  const projectId = scope.projectOf(item.spec);
  return projectId === item.spec.projectId ? item : { ...item, spec: { ...item.spec, projectId } };
}

function countAdded(changes: readonly PlannedChange[]): number {
  return changes.reduce((sum, { before, after }) => sum + Number(before === null) - Number(after === null), 0);
}

function refuseNonEmpty(view: ForwardView): void {
  const count = view.list().length;
  if (count > 0) throw hatobaError('store_not_empty', { count });
}

/** The id that a dry run made up is nobody's. */
function printChange({ item, before, after }: PlannedChange, { dryRun, wanted }: ForwardBatch): ForwardChange {
  const given = before?.id ?? (item === null ? null : (wanted[item]?.id ?? null));
  return { id: dryRun ? given : (after?.id ?? given), before, after: specOf(after) };
}

function specOf(after: StoredForward | null): ForwardSpec | null {
  return after === null ? null : after.spec;
}
