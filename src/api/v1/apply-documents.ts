import { inItem, itemField } from '../../model/batch-item.ts';
import { hatobaError, inFieldOf } from '../../model/errors.ts';
import { type Forward, parseForwardSpec, printForwardSpec } from '../../model/forward.ts';
import { isUuid } from '../../model/ids.ts';
import { parseRouterId, type RouterId } from '../../model/router.ts';
import { forwardStatus } from '../../model/status.ts';
import { parseTime, printTime } from '../../model/time.ts';
import type { BatchOutcome, ForwardBatch, ForwardChange, Registry, WantedForward } from '../../registry/registry.ts';
import { requestMalformed } from '../validation.ts';
import type { ApplyRequest, ApplyResult, Backup } from './apply-schemas.ts';

/** What a request wants. Errors name the item at fault: `forwards.3.external_port`. */
export function readBatch(request: ApplyRequest, { statuses }: Registry): ForwardBatch {
  const routers = statuses.routers();
  const named = inFieldOf('router', () => (request.router === undefined ? null : parseRouterId(request.router)));
  const fallback = named ?? (routers.length === 1 ? routers[0] : undefined);
  const wanted = request.forwards.map(({ id, ...input }, index) => {
    const router = input.router ?? fallback;
    if (router === undefined) {
      throw hatobaError('router_required', { count: routers.length }, { field: itemField(index, 'router') });
    }
    return {
      id: id === undefined ? null : readId(id, index),
      spec: inItem(index, () => parseForwardSpec({ ...input, router })),
      times: null,
    };
  });
  const prunes = pruner(request, wanted, named);
  return { wanted, prunes, dryRun: request.dry_run === true, kind: 'apply', intoEmpty: false };
}

/** All forwards of a backup in place of all there are. Errors name the item at fault. */
export function readBackup({ forwards }: Backup, replace: boolean): ForwardBatch {
  const wanted = forwards.map(({ id, created_at, updated_at, ...input }, index) => ({
    id: readId(id, index),
    spec: inItem(index, () => parseForwardSpec(input)),
    times: {
      createdAt: readTime(created_at, index, 'created_at'),
      updatedAt: readTime(updated_at, index, 'updated_at'),
    },
  }));
  return { wanted, prunes: () => true, dryRun: false, kind: 'restore', intoEmpty: !replace };
}

export function printRecord(forward: Forward): Backup['forwards'][number] {
  return {
    id: forward.id,
    ...printForwardSpec(forward),
    created_at: forward.createdAt,
    updated_at: forward.updatedAt,
  };
}

/** What became of a batch. */
export interface ToldOutcome {
  readonly outcome: BatchOutcome;
  readonly dryRun: boolean;
  /** Whether every node that has one of the routers has come to the revision. */
  readonly applied: boolean;
}

/** The outcome but for its changes. */
export function printSummary({ outcome, dryRun, applied }: ToldOutcome): Omit<ApplyResult, 'changes'> {
  const count = { create: 0, update: 0, remove: 0 };
  for (const change of outcome.changes) count[kindOf(change)]++;
  return {
    revision: outcome.revision,
    dry_run: dryRun,
    applied,
    created: count.create,
    updated: count.update,
    removed: count.remove,
    unchanged: outcome.unchanged,
  };
}

function kindOf({ before, after }: ForwardChange): 'create' | 'update' | 'remove' {
  if (before === null) return 'create';
  return after === null ? 'remove' : 'update';
}

/** The change with the state that the forward has now. */
export function printChange(
  change: ForwardChange,
  { forwards, statuses }: Registry,
  dryRun: boolean,
): ApplyResult['changes'][number] {
  const { id, before, after } = change;
  const forward = dryRun || id === null || after === null ? undefined : forwards.get(id);
  const status =
    forward === undefined ? null : forwardStatus(forward, statuses.of(forward.router), printTime(Date.now()));
  return {
    change: kindOf(change),
    id,
    before: before === null ? null : printForwardSpec(before),
    after: after === null ? null : printForwardSpec(after),
    state: status?.state ?? null,
    message: status?.message ?? null,
  };
}

function pruner(
  { prune }: ApplyRequest,
  wanted: readonly WantedForward[],
  named: RouterId | null,
): ForwardBatch['prunes'] {
  if (prune === undefined) return () => false;
  if (prune === 'all') return () => true;
  const routers = new Set<RouterId | null>([named, ...wanted.map(({ spec }) => spec.router)]);
  return ({ router }) => routers.has(router);
}

function readId(id: string, index: number): string {
  const lower = id.toLowerCase();
  if (!isUuid(lower)) throw requestMalformed(`${id} is not the id of a forward`, itemField(index, 'id'));
  return lower;
}

function readTime(text: string, index: number, field: string): string {
  return inFieldOf(itemField(index, field), () => parseTime(text));
}
