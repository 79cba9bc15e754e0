import type { FastifyBaseLogger } from 'fastify';
import type { AdoptionOptions, AdoptionPlan, ForeignRule, Removal } from '../model/adoption.ts';
import type { Counters } from '../model/counters.ts';
import { hatobaError } from '../model/errors.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Observation, WatchedFlow } from '../model/observation.ts';
import type { RouterId } from '../model/router.ts';
import type { InstanceFacts, NodeFacts } from '../program/facts.ts';
import type { Registry } from '../registry/registry.ts';
import type { Observations } from './metrics/observations.ts';
import type { Waiting } from './waiting.ts';

/** What the API tells about the daemon it runs in. */
export interface NodeInfo {
  readonly version: string;
  readonly name: string;
  /** The kernel driver in use; null: this node programs no kernel. */
  readonly driver: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Where desired state is kept, for people to read. */
  readonly store: string;
  readonly roles: readonly string[];
}

/** What has gone through one forward on this node. */
export interface NodeCounters extends Counters {
  readonly forward: ForwardId;
  /** Milliseconds since 1970; `null`: not since anybody looked. */
  readonly lastUsed: number | null;
}

/** Of one forward of the router, or (`null`) all; none where this node does not have the router. */
export type ReadCounters = (router: RouterId, forward: ForwardId | null) => Promise<readonly NodeCounters[]>;

/** What can be looked at in the routers of this node; nothing where it programs none. */
export interface LiveReadings {
  /** How many flows go through the forwards of the router, or this one; those without any are left out. */
  readonly liveFlows: (router: RouterId, forward: ForwardId | null) => Promise<ReadonlyMap<ForwardId, number>>;
  /** How full connection tracking is, in each place where a router is. */
  readonly flowUsage: () => Promise<readonly RouterUsage[]>;
  /** Waits for a packet of this flow in the router; `null`: none came in time. Error: `router_elsewhere`. */
  readonly observe: (router: RouterId, flow: WatchedFlow, patience: WatchPatience) => Promise<Observation | null>;
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

export const NO_READINGS: LiveReadings = Object.freeze({
  liveFlows: async () => new Map(),
  flowUsage: async () => [],
  observe: async (router: RouterId) => {
    throw hatobaError('router_elsewhere', { node: 'it has no agent', router });
  },
});

/** Takes over rules that others have in this node's routers. */
export interface Adoption {
  /** `null`: this node does not have the router. */
  plan(router: RouterId, options: AdoptionOptions): Promise<AdoptionPlan | null>;
  /** Takes away just these rules; in their order. */
  remove(rules: readonly ForeignRule[]): Promise<readonly Removal[]>;
}

/** A node without routers. */
export const NO_ADOPTION: Adoption = Object.freeze({ plan: async () => null, remove: async () => [] });

/** Resolves when the router's status tells what others' rules on this node are to its forwards by now. */
export type LookAround = (router: RouterId) => Promise<void>;

/** What this node finds when it looks at itself and at its routers. */
export interface Examination {
  readonly node: () => Promise<NodeFacts>;
  /** Wherever this node has the router. `forward`: this one, with its target; `null`: the router's, without. */
  readonly router: (router: RouterId, forward: ForwardId | null) => Promise<readonly InstanceFacts[]>;
}

export const NO_EXAMINATION: Examination = Object.freeze({
  node: async () => ({ missingCapabilities: [] }),
  router: async () => [],
});

export interface ApiDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  readonly counters: ReadCounters;
  /** Default: `NO_READINGS`. */
  readonly live?: LiveReadings;
  /** Default: `NO_ADOPTION`. */
  readonly adoption?: Adoption;
  /** What has happened, to be counted. Default: nothing is told. */
  readonly observations?: Observations;
  /** Of how many forwards there are metrics at most. Default: 0. */
  readonly forwardMetrics?: number;
  /** Rejects where this daemon cannot do its work at the moment. Default: it can. */
  readonly ready?: () => Promise<void>;
  /** Default: what is known is told. */
  readonly lookAround?: LookAround;
  /** Default: `NO_EXAMINATION`. */
  readonly examination?: Examination;
  /** A pino logger; false: silence. */
  readonly log: FastifyBaseLogger | false;
}

/** What a plugin of routes may use. */
export interface RouteDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  readonly counters: ReadCounters;
  readonly live: LiveReadings;
  readonly adoption: Adoption;
  readonly lookAround: LookAround;
  readonly examination: Examination;
  readonly waiting: Waiting;
}
