import { hatobaError } from '../../model/errors.ts';
import type { ChangedItem, ChangeJournal } from '../change-journal.ts';
import { type ChangeView, readChanges } from '../changes.ts';
import type { Forwards, RegistryChange } from '../registry.ts';
import type { TenantStatuses } from './tenant-statuses.ts';

interface Followed {
  readonly journal: ChangeJournal;
  readonly after: number;
  readonly signal: AbortSignal;
  /** `null`: nothing is there for it. */
  readonly project: string | null;
  readonly forwards: Pick<Forwards, 'get'>;
  readonly statuses: TenantStatuses;
}

/**
 * What of the changes is about the project; a forward that has come to another project is gone. Error `store_compacted`:
 * also where it is not known any more whose the removed forwards were.
 */
export async function* tenantChanges(followed: Followed): AsyncGenerator<RegistryChange, void> {
  const { journal, after, signal, project, forwards, statuses } = followed;
  if (after < journal.ownersKnownSince()) throw hatobaError('store_compacted', { value: after });

  function isSeen(item: ChangedItem): boolean {
    switch (item.kind) {
      case 'forward':
        return project !== null && item.projects.includes(project);
      case 'status':
        return statuses.isThere(item.router);
      case 'router': {
        const isOwn = project !== null && item.projects.has(project);
        return isOwn || (item.hasStatus && statuses.isThere(item.router));
      }
      case 'node':
        return item.routers.some((router) => statuses.isThere(router));
    }
  }

  const view: ChangeView = {
    isSeen,
    isThere: (router) => statuses.isThere(router),
    forward: (id) => forwards.get(id),
    statuses: (router) => statuses.of(router),
  };
  yield* readChanges(journal.follow(after, signal), view);
}
