import type { AdoptionOptions, AdoptionPlan, ForeignRule, Removal } from '../model/adoption.ts';
import type { Counters } from '../model/counters.ts';
import { hatobaError } from '../model/errors.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Observation, WatchedFlow } from '../model/observation.ts';
import type { Orphan } from '../model/orphan.ts';
import type { RouterId } from '../model/router.ts';
import type { InstanceFacts, NodeFacts } from '../program/facts.ts';

/** What this node alone can tell of its own routers, and do there; of others, it knows nothing. */
export interface LocalNode {
  /** What has gone through the forwards of the router, or (`forward`) this one. */
  counters(router: RouterId, forward: ForwardId | null): Promise<readonly NodeCounters[]>;
  /** How many flows go through them now; those without any are left out. */
  liveFlows(router: RouterId, forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, number>>;
  /** How full connection tracking is, in each place where a router is. */
  flowUsage(): Promise<readonly RouterUsage[]>;
  /** Waits for a packet of this flow in the router; `null`: none came in time. Error: `router_elsewhere`. */
  observe(router: RouterId, flow: WatchedFlow, patience: WatchPatience): Promise<Observation | null>;
  /** Resolves when the router's status tells what others' rules are to its forwards by now; false: in time, it does not. */
  lookAround(router: RouterId): Promise<boolean>;
  examineNode(): Promise<NodeFacts>;
  /**
   * Wherever the router is. `forward`: this one, with its target; `null`: the router's, without. `signal`: aborted when nobody
   * waits for the answer any more, which may then be empty.
   */
  examineRouter(router: RouterId, forward: ForwardId | null, signal?: AbortSignal): Promise<readonly InstanceFacts[]>;
  readonly adoption: Adoption;
  readonly orphans: OrphanControl;
}

/** What has gone through one forward on this node. */
export interface NodeCounters extends Counters {
  readonly forward: ForwardId;
  /** Milliseconds since 1970; `null`: not since anybody looked. */
  readonly lastUsed: number | null;
}

export interface RouterUsage extends FlowUsage {
  readonly router: RouterId;
}

/** How long somebody waits. */
export interface WatchPatience {
  readonly seconds: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** Takes over rules that others have in this node's routers. */
export interface Adoption {
  /** `null`: this node does not have the router. */
  plan(router: RouterId, options: AdoptionOptions): Promise<AdoptionPlan | null>;
  /** Takes away just these rules; in their order. */
  remove(rules: readonly ForeignRule[]): Promise<readonly Removal[]>;
}

/** What the kernels of this node have and the store does not know; `router`: of this one only. */
export interface OrphanControl {
  list(router: RouterId | null): Promise<readonly Orphan[]>;
  /** Takes them out of the kernel, and gives what they were. Error: `kernel_refused`. */
  discard(router: RouterId | null): Promise<readonly Orphan[]>;
}

/** A node that looks after no routers. */
export const NO_ROUTERS: LocalNode = Object.freeze({
  counters: async () => [],
  liveFlows: async () => new Map(),
  flowUsage: async () => [],
  observe: async (router: RouterId) => {
    throw hatobaError('router_elsewhere', { node: 'it has no agent', router });
  },
  lookAround: async () => true,
  examineNode: async () => ({ missingCapabilities: [] }),
  examineRouter: async () => [],
  adoption: Object.freeze({ plan: async () => null, remove: async () => [] }),
  orphans: Object.freeze({ list: async () => [], discard: async () => [] }),
});
