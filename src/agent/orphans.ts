import type { Dataplane, Instance } from '../dataplane/dataplane.ts';
import { type Forward, isExpired } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { forwardOfOrphan, type Orphan } from '../model/orphan.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import { printTime } from '../model/time.ts';
import { isRule, type Rule, resolveForward, sameRule } from '../program/rule.ts';
import type { Forwards } from '../registry/registry.ts';

/**
 * Forwards that were found in the kernel and that the store does not know: it is new, was emptied, or is older than they are. They
 * stay as they are until an operator says what is meant.
 */
export interface Orphans {
  /** Looks for those of an instance, and gives how many there are. To be called before it is changed. */
  find(instance: Instance): Promise<number>;
  /** Those of the router, without what has expired. */
  of(router: RouterId): readonly Orphan[];
  routers(): readonly RouterId[];
  /** The forwards, and the router's orphans beside them. */
  besides(router: RouterId, forwards: ReadonlyMap<ForwardId, Forward>): ReadonlyMap<ForwardId, Forward>;
  ids(router: RouterId): ReadonlySet<ForwardId>;
  /** Forgets those that the store knows by now, and those whose packets a stored forward leads to the same target. */
  review(router: RouterId): void;
  forget(router: RouterId): void;
}

export interface OrphansOptions {
  readonly dataplane: Pick<Dataplane, 'unknownRules'>;
  readonly forwards: Pick<Forwards, 'isKnown' | 'near'>;
  readonly gatewaysOf: (router: RouterId) => Gateways;
}

const NONE: ReadonlySet<ForwardId> = new Set();

export function createOrphans({ dataplane, forwards, gatewaysOf }: OrphansOptions): Orphans {
  const routers = new Map<RouterId, Map<ForwardId, Forward>>();
  return { find, of, routers: () => [...routers.keys()].sort(), besides, ids, review, forget };

  async function find({ id, router }: Instance): Promise<number> {
    const rules = await dataplane.unknownRules(id, (forward) => forwards.isKnown(forward));
    if (rules.length === 0) return 0;
    const found = rules.map((rule) => forwardOfOrphan({ id: rule.forward, spec: specOf(router, rule) }));
    routers.set(router, new Map([...(routers.get(router) ?? []), ...found.map((one) => [one.id, one] as const)]));
    review(router);
    return found.filter((one) => routers.get(router)?.has(one.id) ?? false).length;
  }

  function present(router: RouterId): readonly Forward[] {
    const now = printTime(Date.now());
    return [...(routers.get(router)?.values() ?? [])].filter((orphan) => !isExpired(orphan, now));
  }

  function of(router: RouterId): readonly Orphan[] {
    return present(router).map((orphan) => ({ id: orphan.id, spec: orphan }));
  }

  function besides(router: RouterId, stored: ReadonlyMap<ForwardId, Forward>): ReadonlyMap<ForwardId, Forward> {
    const orphans = routers.get(router);
    return orphans === undefined ? stored : new Map([...orphans, ...stored]);
  }

  function ids(router: RouterId): ReadonlySet<ForwardId> {
    const orphans = routers.get(router);
    return orphans === undefined ? NONE : new Set(orphans.keys());
  }

  function review(router: RouterId): void {
    const orphans = routers.get(router);
    if (orphans === undefined) return;
    for (const orphan of orphans.values()) {
      if (forwards.isKnown(orphan.id) || isReplaced(orphan)) orphans.delete(orphan.id);
    }
    if (orphans.size === 0) routers.delete(router);
  }

  /** Manifests that are applied to a new store make the same forwards, with other ids. */
  function isReplaced(orphan: Forward): boolean {
    const gateways = gatewaysOf(orphan.router);
    const rule = resolveForward(orphan, gateways);
    if (!isRule(rule)) return false;
    return forwards.near(orphan).some((forward) => {
      const other = resolveForward(forward, gateways);
      return isRule(other) && sameRule({ ...other, forward: rule.forward, expiresAt: rule.expiresAt }, rule);
    });
  }

  function forget(router: RouterId): void {
    routers.delete(router);
  }
}

function specOf(router: RouterId, rule: Rule): Orphan['spec'] {
  return {
    name: null,
    description: null,
    projectId: null,
    labels: {},
    router,
    protocol: rule.protocol,
    externalAddress: rule.external,
    externalPorts: rule.externalPorts,
    internalAddress: rule.internal,
    internalPorts: rule.internalPorts,
    sources: rule.sources,
    enabled: true,
    expiresAt: rule.expiresAt,
  };
}
