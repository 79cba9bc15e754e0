import type { MayUse } from '../../../model/grants.ts';
import type { RouterId } from '../../../model/router.ts';

/** Whose routers are, as far as Neutron has been heard: a project may use its own. */
export interface RouterOwners {
  /** Neutron has said so, to whomever. A router never changes its owner. */
  note(router: RouterId, project: string): void;
  readonly mayUse: MayUse;
}

export function createRouterOwners(): RouterOwners {
  const owners = new Map<RouterId, string>();
  return {
    note: (router, project) => owners.set(router, project),
    mayUse: (project, router) => owners.get(router) === project,
  };
}
