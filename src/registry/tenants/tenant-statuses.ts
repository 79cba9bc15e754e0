import { hatobaError } from '../../model/errors.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { RouterStatus } from '../../model/status.ts';
import type { Forwards, Statuses } from '../registry.ts';

/** What nodes say about the routers that a tenant may use or has forwards on. */
export interface TenantStatuses extends Statuses {
  isThere(router: RouterId): boolean;
  /** The status without what it says of others' forwards and rules. */
  withoutOthers(status: RouterStatus): RouterStatus;
}

/** These texts quote what others have in the router. */
const ERROR = 'the router cannot be changed at present; whoever runs it can see why';
const WARNING = 'other rules in the router shadow it, or are shadowed by it; whoever runs the router can see which';

export function tenantStatuses(
  statuses: Statuses,
  forwards: Forwards,
  mayUse: (router: RouterId) => boolean,
): TenantStatuses {
  const isThere = (router: RouterId) => mayUse(router) || forwards.ofRouter(router).size > 0;
  const isOwn = (id: ForwardId) => forwards.get(id) !== undefined;
  const seen = createMemory<RouterStatus, RouterStatus>(print, () => forwards.revision());
  const ofThose = createMemory<RouterId, readonly RouterStatus[]>(
    (router) => (isThere(router) ? statuses.of(router).map(seen) : []),
    () => forwards.revision(),
  );

  function print({ orphaned: _orphaned, ...status }: RouterStatus): RouterStatus {
    const { problems, warnings = {} } = status;
    return Object.freeze({
      ...status,
      problems: Object.fromEntries(Object.entries(problems).filter(([id]) => isOwn(id))),
      warnings: Object.fromEntries(Object.keys(warnings).flatMap((id) => (isOwn(id) ? [[id, [WARNING]]] : []))),
      error: status.error === null ? null : ERROR,
    });
  }

  return {
    isThere,
    withoutOthers: seen,
    of: ofThose,
    ofNode: (node) =>
      statuses
        .ofNode(node)
        .filter(({ router }) => isThere(router))
        .map(seen),
    routers: () => statuses.routers().filter(isThere),
    subscribe: (listener) =>
      statuses.subscribe((router) => {
        if (isThere(router)) listener(router);
      }),
    publish: async () => {
      throw hatobaError('not_permitted', { reason: 'what nodes say is not for a project to say' });
    },
  };
}

/** What `make` gave for the same thing at the same revision: a list of forwards asks for each of them. */
function createMemory<Thing, Made>(make: (thing: Thing) => Made, revisionNow: () => number): (thing: Thing) => Made {
  const made = new Map<Thing, Made>();
  let revision = revisionNow();
  return (thing) => {
    if (revision !== revisionNow()) made.clear();
    revision = revisionNow();
    const known = made.get(thing);
    if (known !== undefined) return known;
    const fresh = make(thing);
    made.set(thing, fresh);
    return fresh;
  };
}
