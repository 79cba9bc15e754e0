import { hatobaError } from '../model/errors.ts';
import type { Forward, ForwardSpec } from '../model/forward.ts';
import { type ForwardId, isUuidPrefix } from '../model/ids.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import { createAgeOrder } from './age-order.ts';
import { createPortIndex, type PortIndex } from './port-index.ts';

/** Forwards in memory, as the store had them at one revision. */
export interface ForwardIndex {
  /** Puts it, in place of the one of the same id. */
  put(forward: Forward): void;
  /** The one that was there, unless it has moved to another router meanwhile. */
  remove(router: RouterId, id: ForwardId): Forward | undefined;

  get(id: ForwardId): Forward | undefined;
  named(name: string): Forward | undefined;
  /** By id, name or unique beginning of an id, in this order. Errors: `forward_not_found`, `reference_ambiguous`. */
  find(reference: string): Forward;
  /** All, oldest first. */
  list(): readonly Forward[];
  ofRouter(router: RouterId): ReadonlyMap<ForwardId, Forward>;
  conflictOf(spec: ForwardSpec, gateways: Gateways, except: ForwardId | null): Forward | undefined;
  /** All that conflict with the spec, in no order; some perhaps several times. */
  conflictsOf(spec: ForwardSpec, gateways: Gateways): readonly Forward[];
}

interface RouterForwards {
  readonly forwards: Map<ForwardId, Forward>;
  readonly ports: PortIndex<Forward>;
}

const NO_FORWARDS: ReadonlyMap<ForwardId, Forward> = new Map();

export function createForwardIndex(): ForwardIndex {
  const all = new Map<ForwardId, Forward>();
  const names = new Map<string, Forward>();
  const routers = new Map<RouterId, RouterForwards>();
  const order = createAgeOrder(() => all.values());

  function forget(forward: Forward): void {
    order.remove(forward);
    const router = routers.get(forward.router);
    router?.forwards.delete(forward.id);
    router?.ports.remove(forward);
    if (router?.forwards.size === 0) routers.delete(forward.router);
    // Within one commit a name can pass from one forward to another.
    if (forward.name !== null && names.get(forward.name)?.id === forward.id) names.delete(forward.name);
  }

  return {
    put(forward) {
      const before = all.get(forward.id);
      if (before !== undefined) forget(before);
      all.set(forward.id, forward);
      if (forward.name !== null) names.set(forward.name, forward);
      const router = routers.get(forward.router) ?? { forwards: new Map(), ports: createPortIndex<Forward>() };
      routers.set(forward.router, router);
      router.forwards.set(forward.id, forward);
      router.ports.add(forward);
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
    named: (name) => names.get(name),

    find(reference) {
      const exact = all.get(reference.toLowerCase()) ?? names.get(reference);
      if (exact !== undefined) return exact;
      const [found, ...others] = beginningWith(all, reference.toLowerCase());
      if (found === undefined) throw hatobaError('forward_not_found', { value: reference });
      if (others.length === 0) return found;
      throw hatobaError('reference_ambiguous', { value: reference, count: others.length + 1 });
    },

    list: () => order.list(),

    ofRouter: (router) => routers.get(router)?.forwards ?? NO_FORWARDS,

    conflictOf: (spec, gateways, except) => routers.get(spec.router)?.ports.conflictOf(spec, gateways, except),
    conflictsOf: (spec, gateways) => routers.get(spec.router)?.ports.conflictsOf(spec, gateways) ?? [],
  };
}

function beginningWith(all: ReadonlyMap<ForwardId, Forward>, prefix: string): Forward[] {
  if (!isUuidPrefix(prefix)) return [];
  const found: Forward[] = [];
  for (const [id, forward] of all) if (id.startsWith(prefix)) found.push(forward);
  return found;
}
