import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import { type AgeOrder, createAgeOrder } from './age-order.ts';

/** Forwards by the project that they are of; those of none are not there. */
export interface ProjectIndex {
  add(forward: Forward): void;
  remove(forward: Forward): void;
  /** All of the project, oldest first: a snapshot. */
  list(project: string): readonly Forward[];
  /** How many the project has. */
  countOf(project: string): number;
  /** Those of the project in the router: a live view. */
  ofRouter(project: string, router: RouterId): ReadonlyMap<ForwardId, Forward>;
}

interface ProjectForwards {
  readonly routers: Map<RouterId, Map<ForwardId, Forward>>;
  readonly order: AgeOrder;
  count: number;
}

const NONE: ReadonlyMap<ForwardId, Forward> = new Map();

export function createProjectIndex(): ProjectIndex {
  const projects = new Map<string, ProjectForwards>();

  return {
    add(forward) {
      const { id, router, projectId } = forward;
      if (projectId === null) return;
      const project = projects.get(projectId) ?? newProject();
      const forwards = project.routers.get(router) ?? new Map<ForwardId, Forward>();
      projects.set(projectId, project);
      project.routers.set(router, forwards.set(id, forward));
      project.order.add(forward);
      project.count += 1;
    },

    remove(forward) {
      const { id, router, projectId } = forward;
      const project = projectId === null ? undefined : projects.get(projectId);
      const forwards = project?.routers.get(router);
      if (projectId === null || project === undefined || !forwards?.delete(id)) return;
      project.order.remove(forward);
      project.count -= 1;
      if (forwards.size === 0) project.routers.delete(router);
      if (project.count === 0) projects.delete(projectId);
    },

    list: (project) => projects.get(project)?.order.list() ?? [],
    countOf: (project) => projects.get(project)?.count ?? 0,
    ofRouter: (project, router) => projects.get(project)?.routers.get(router) ?? NONE,
  };
}

function newProject(): ProjectForwards {
  const routers = new Map<RouterId, Map<ForwardId, Forward>>();
  return { routers, order: createAgeOrder(() => routers.values().flatMap((forwards) => forwards.values())), count: 0 };
}
