import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { Forwards, RetiredForward } from '../registry/registry.ts';
import type { Orphans } from './orphans.ts';

/** What one attempt works from: values of one moment, which no later change of the registry alters. */
export interface Desired {
  /** The revision that `forwards` is complete up to. */
  readonly revision: number;
  /** Those of the requested ids that exist, or all of the router. */
  readonly forwards: ReadonlyMap<ForwardId, Forward>;
  /** Removed forwards whose flows go on. */
  readonly draining: ReadonlySet<ForwardId>;
  readonly gateways: Gateways;
  /** Those of `forwards` that no store knows. */
  readonly orphaned: ReadonlySet<ForwardId>;
  /** With all forwards: as they were before each commit after `since` that removed them or led them elsewhere. */
  readonly retired: readonly RetiredForward[];
}

export interface DesiredParts {
  readonly forwards: Pick<Forwards, 'revision' | 'ofRouter' | 'draining' | 'retiredSince'>;
  readonly orphans: Pick<Orphans, 'besides' | 'ids'>;
  readonly gatewaysOf: (router: RouterId) => Gateways;
}

/** Reads what is desired of a router: all of one revision, and copied, since the registry's own map follows the store. */
export function createDesired({ forwards, orphans, gatewaysOf }: DesiredParts) {
  return (router: RouterId, ids: ReadonlySet<ForwardId> | 'all', since: number): Desired => {
    const present = orphans.besides(router, forwards.ofRouter(router));
    return {
      revision: forwards.revision(),
      forwards: ids === 'all' ? new Map(present) : pick(present, ids),
      orphaned: orphans.ids(router),
      draining: forwards.draining(router),
      gateways: gatewaysOf(router),
      retired: ids === 'all' ? forwards.retiredSince(router, since) : [],
    };
  };
}

function pick<Key, Value>(map: ReadonlyMap<Key, Value>, keys: ReadonlySet<Key>): ReadonlyMap<Key, Value> {
  const picked = new Map<Key, Value>();
  for (const key of keys) {
    const value = map.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}
