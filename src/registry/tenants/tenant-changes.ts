import type { RegistryChange } from '../registry.ts';
import type { LeftBetween } from './departures.ts';
import { isOf } from './project-view.ts';
import type { TenantStatuses } from './tenant-statuses.ts';

interface Followed {
  readonly changes: AsyncIterable<RegistryChange>;
  readonly after: number;
  readonly project: string | null;
  readonly left: LeftBetween;
  readonly statuses: TenantStatuses;
}

/**
 * What of the changes is about the project: also a forward that has come to another one is gone. Error `store_compacted`:
 * it is not known any more what has gone since.
 */
export async function* tenantChanges(followed: Followed): AsyncGenerator<RegistryChange, void> {
  const { changes, after, project, left, statuses } = followed;
  let last = after;
  left(last, last);
  for await (const { revision, ...change } of changes) {
    // The change itself says only which keys are gone, and may leave out what a later one has overtaken.
    const gone = left(last, revision).map(({ router, id }) => ({ router, id, forward: null }));
    last = revision;
    const there = change.forwards.filter(({ forward }) => forward !== null && isOf(project, forward));
    const kept = new Set(there.map(({ router, id }) => `${router}/${id}`));
    const forwards = [...gone.filter(({ router, id }) => !kept.has(`${router}/${id}`)), ...there];
    const known = change.statuses
      .filter(({ router }) => statuses.isThere(router))
      .map((one) => ({ ...one, status: one.status && statuses.withoutOthers(one.status) }));
    if (forwards.length + known.length > 0) yield { revision, forwards, statuses: known };
  }
}
