import type { ChangeJournal } from '../change-journal.ts';
import type { Forwards, Registry, Tenant } from '../registry.ts';
import type { Departures, LeftBetween } from './departures.ts';
import { tenantChanges } from './tenant-changes.ts';
import { tenantStatuses } from './tenant-statuses.ts';

interface Parts {
  readonly whole: Registry;
  /** The forwards, within the scope of the tenant but for whom they tell of changes. */
  readonly forwards: Forwards;
  readonly departures: Departures;
  readonly journal: ChangeJournal;
}

/** See `Registry.within`. */
export function createTenantRegistry(parts: Parts, { project, grants }: Tenant): Registry {
  const { whole, departures, journal } = parts;
  const left: LeftBetween = (after, to) => (project === null ? [] : departures.between(project, after, to));
  const forwards = tenantForwards(parts, left);
  const mayUse = (router: string) => project !== null && grants.externalPorts(project, router) !== null;
  const statuses = tenantStatuses(whole.statuses, forwards, mayUse);
  const registry: Registry = {
    forwards,
    statuses,
    listingRevision: () => whole.listingRevision(),
    changes: (after, signal) => tenantChanges({ journal, after, signal, project, forwards, statuses }),
    within: () => registry,
    stop: async () => undefined,
  };
  return registry;
}

function tenantForwards({ whole, forwards }: Parts, left: LeftBetween): Forwards {
  return {
    ...forwards,

    // Whose a forward was that has been removed is not kept; only nodes have to know.
    draining: () => new Set(),
    isKnown: (id) => forwards.get(id) !== undefined,
    retiredSince: () => [],

    subscribe(listener) {
      let last = forwards.revision();
      return whole.forwards.subscribe(({ revision, touched }) => {
        const gone = new Set(left(last, revision).map(({ router, id }) => `${router}/${id}`));
        last = revision;
        const own = touched.filter(
          ({ router, id }) => gone.has(`${router}/${id}`) || forwards.get(id)?.router === router,
        );
        if (own.length > 0) listener({ revision, touched: own });
      });
    },
  };
}
