import { hatobaError } from '../model/errors.ts';
import type { ForwardSpec } from '../model/forward.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { Commit } from '../store/store.ts';
import { batchCommit } from './batch-commit.ts';
import { refuseUnfit } from './batch-fitness.ts';
import { matchItems } from './batch-matching.ts';
import { type PlannedChange, planRemovals, planWanted } from './batch-plan.ts';
import type { ForwardIndex } from './forward-index.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import type { StoredForward } from './forward-record.ts';
import type { BatchOutcome, ForwardBatch, ForwardChange } from './registry.ts';

/**
 * The commit that brings the forwards to what the batch wants, decided on what they are together in the end.
 * It succeeds only where the mirror has all forwards that it rests on as the store has them.
 * Errors: `item_repeated`, `name_taken`, `forward_conflict`, each naming the item; `store_not_empty`.
 */
export function decideBatch(
  mirror: ForwardMirror,
  batch: ForwardBatch,
  gatewaysOf: (router: RouterId) => Gateways,
): { readonly commit: Commit; readonly result: (revision: number) => BatchOutcome } {
  const { index } = mirror;
  if (batch.intoEmpty) refuseNonEmpty(index);
  const matches = matchItems(batch.wanted, index);
  const wanted = planWanted(batch.wanted, matches);
  const changes = [...wanted, ...planRemovals(batch, matches, index)];
  refuseUnfit(index, changes, batch.kind === 'restore' ? () => ({}) : gatewaysOf);
  return {
    commit: batch.dryRun ? {} : batchCommit(mirror, changes),
    result: (revision) => ({
      revision,
      changes: changes.map((change) => printChange(change, batch)),
      unchanged: batch.wanted.length - wanted.length,
    }),
  };
}

function refuseNonEmpty(index: ForwardIndex): void {
  const count = index.list().length;
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
