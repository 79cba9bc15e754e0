import { randomUUID } from 'node:crypto';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { ForwardBatch, WantedForward } from '../registry.ts';
import { sameSpec } from './forward-place.ts';
import type { StoredForward } from './forward-record.ts';
import type { ForwardView } from './forward-view.ts';

/** One change of a batch. */
export interface PlannedChange {
  /** Which item wants it; null: none does, so it goes. */
  readonly item: number | null;
  readonly before: Forward | null;
  readonly after: StoredForward | null;
}

/** What has to change for the items; their ids ascend where they are new, for that is the order of those equally old. */
export function planWanted(
  wanted: readonly WantedForward[],
  matches: readonly (Forward | null)[],
): readonly PlannedChange[] {
  const now = new Date().toISOString();
  const ids = wanted.map(() => randomUUID()).sort();
  return wanted.flatMap(({ id, spec, times }, item) => {
    const before = matches[item] ?? null;
    const createdAt = times?.createdAt ?? before?.createdAt ?? now;
    if (before !== null && sameSpec(before, spec) && sameTimes(before, times)) return [];
    const after = { id: before?.id ?? id ?? ids[item] ?? '', spec, createdAt, updatedAt: times?.updatedAt ?? now };
    return [{ item, before, after }];
  });
}

function sameTimes(before: Forward, times: WantedForward['times']): boolean {
  return times === null || (times.createdAt === before.createdAt && times.updatedAt === before.updatedAt);
}

/** Those that nobody wants, and that are to go then. */
export function planRemovals(
  { prunes }: ForwardBatch,
  matches: readonly (Forward | null)[],
  view: ForwardView,
): readonly PlannedChange[] {
  const kept = new Set<ForwardId | undefined>(matches.map((forward) => forward?.id));
  const removed = view.list().filter((forward) => !kept.has(forward.id) && prunes(forward));
  return removed.map((before) => ({ item: null, before, after: null }));
}
