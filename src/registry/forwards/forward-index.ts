import type { Forward, ForwardSpec } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import { createPortMap, type PortMap } from '../../model/port-map.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import { createAgeOrder } from './age-order.ts';
import { type ForwardView, findForward } from './forward-view.ts';
import { createNameIndex, type Named } from './name-index.ts';
import { createPortIndex, type PortIndex } from './port-index.ts';
import { createProjectIndex, type ProjectIndex } from './project-index.ts';

/** Forwards in memory, as the store had them at one revision. */
export interface ForwardIndex extends ForwardView {
  /** Puts it, in place of the one of the same id. */
  put(forward: Forward): void;
  /** The one that was there, unless it has moved to another router meanwhile. */
  remove(router: RouterId, id: ForwardId): Forward | undefined;
  /** The one that has the name that the spec has, in the same project. */
  namesake(spec: Named): Forward | undefined;
  readonly projects: Pick<ProjectIndex, 'list' | 'countOf' | 'ofRouter'>;
  conflictOf(spec: ForwardSpec, gateways: Gateways, except: ForwardId | null): Forward | undefined;
  /** All that conflict with the spec, in no order; some perhaps several times. */
  conflictsOf(spec: ForwardSpec, gateways: Gateways): readonly Forward[];
  /** All that lead from the spec's router to a port where it leads, and perhaps others; some perhaps several times. */
  leadingTo(spec: ForwardSpec): readonly Forward[];
}

interface RouterForwards {
  readonly forwards: Map<ForwardId, Forward>;
  readonly ports: PortIndex<Forward>;
  /** By where they lead; `null` until somebody asks: only Neutron's API does, and for all routers it would be much memory. */
  targets: PortMap<Forward> | null;
}

const NO_FORWARDS: ReadonlyMap<ForwardId, Forward> = new Map();

export function createForwardIndex(): ForwardIndex {
  const all = new Map<ForwardId, Forward>();
  const names = createNameIndex();
  const projects = createProjectIndex();
  const routers = new Map<RouterId, RouterForwards>();
  const order = createAgeOrder(() => all.values());

  function forget(forward: Forward): void {
    projects.remove(forward);
    order.remove(forward);
    const router = routers.get(forward.router);
    router?.forwards.delete(forward.id);
    router?.ports.remove(forward);
    router?.targets?.remove(targetOf(forward), forward);
    if (router?.forwards.size === 0) routers.delete(forward.router);
    names.remove(forward);
  }

  return {
    put(forward) {
      const before = all.get(forward.id);
      if (before !== undefined) forget(before);
      all.set(forward.id, forward);
      projects.add(forward);
      names.add(forward);
      const router = routers.get(forward.router) ?? newRouter();
      routers.set(forward.router, router);
      router.forwards.set(forward.id, forward);
      router.ports.add(forward);
      router.targets?.add(targetOf(forward), forward);
      order.add(forward);
    },

    remove(router, id) {
      const forward = all.get(id);
      if (forward?.router !== router) return undefined;
      forget(forward);
      all.delete(id);
      return forward;
    },

    get: (id) => all.get(id),
    namesake: (spec) => names.namesake(spec),
    find: (reference) =>
      findForward(reference, {
        get: (id) => all.get(id),
        named: (name) => names.everywhere(name),
        all: () => all.values(),
      }),
    list: () => order.list(),
    projects,

    ofRouter: (router) => routers.get(router)?.forwards ?? NO_FORWARDS,

    conflictOf: (spec, gateways, except) => routers.get(spec.router)?.ports.conflictOf(spec, gateways, except),
    conflictsOf: (spec, gateways) => routers.get(spec.router)?.ports.conflictsOf(spec, gateways) ?? [],

    leadingTo(spec) {
      const router = routers.get(spec.router);
      if (router === undefined) return [];
      router.targets ??= targetsOf(router.forwards.values());
      return router.targets.near(targetOf(spec), spec.internalPorts);
    },
  };
}

function newRouter(): RouterForwards {
  return { forwards: new Map(), ports: createPortIndex(), targets: null };
}

function targetsOf(forwards: Iterable<Forward>): PortMap<Forward> {
  const targets = createPortMap<Forward>(({ internalPorts }) => internalPorts);
  for (const forward of forwards) targets.add(targetOf(forward), forward);
  return targets;
}

function targetOf({ protocol, internalAddress }: ForwardSpec): string {
  return `${protocol} ${internalAddress.text}`;
}
