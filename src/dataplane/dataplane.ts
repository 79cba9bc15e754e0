import type { Counters } from '../model/counters.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Observation, WatchedFlow } from '../model/observation.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Gateways, OutsideAddress, ProtocolLimits, RouterId } from '../model/router.ts';
import type { Change } from '../program/diff.ts';
import type { InstanceFacts, NodeFacts } from '../program/facts.ts';
import type { Program, Rule } from '../program/rule.ts';

/** One place where a router's program has to be; on Linux, a network namespace. */
export interface Instance {
  /** Unique in the data plane; on Linux, the name of the namespace. */
  readonly id: string;
  readonly router: RouterId;
  readonly gateways: Gateways;
}

/** Protocols for which it depends on the instance whether they can be forwarded there. */
export const UNCERTAIN_PROTOCOLS: ReadonlySet<Protocol> = new Set(['dccp', 'udplite']);

/** How long somebody waits. */
export interface WatchPatience {
  readonly seconds: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

export type DataplaneEvent =
  /** There is an instance to program; also when it replaced one of the same id. */
  | { readonly kind: 'appeared'; readonly instance: Instance }
  /** Its gateway addresses have changed. */
  | { readonly kind: 'changed'; readonly instance: Instance }
  | { readonly kind: 'vanished'; readonly id: string }
  /** Somebody else may have changed what we wrote there. */
  | { readonly kind: 'disturbed'; readonly id: string }
  /** Others have changed rules of theirs there; told again only after these were read. */
  | { readonly kind: 'others'; readonly id: string }
  /** The clock by which forwards expire was set, or has gone on without us. */
  | { readonly kind: 'clock_set' };

/** What finding and correcting took. */
export interface Correction {
  /** What was not as it should be; 0: the kernel had exactly the program. */
  readonly corrections: number;
}

/** What is to become of the flows through rules that are taken away. */
export interface Farewell {
  /** Forwards whose flows go on until they end by themselves; those of all others are ended. */
  readonly draining: ReadonlySet<ForwardId>;
  /** Rules that were there by all that is known, and are not wanted now: also where the kernel has lost them meanwhile. */
  readonly gone: readonly Rule[];
}

/**
 * What can find routers and put a program into one. Every call is one transaction: all of it or nothing.
 * Errors: `namespace_gone`, `kernel_refused`, `kernel_stopped`.
 */
export interface Dataplane {
  /** Finds what is there now (events before it resolves), then reports by event what changes. */
  start(onEvent: (event: DataplaneEvent) => void): Promise<void>;

  /** The router's own addresses on outside interfaces there, gateways among them. */
  outsideAddresses(id: string): readonly OutsideAddress[];

  /** Which protocols cannot be forwarded there at this moment, and why. */
  limits(id: string): Promise<ProtocolLimits>;

  /**
   * The rules that are in the kernel of forwards that are not known, as far as they can be read: where there are some, another
   * store is missing, or its contents. Changes nothing.
   */
  unknownRules(id: string, isKnown: (forward: ForwardId) => boolean): Promise<readonly Rule[]>;

  /** Compares what is in the kernel with the program and corrects just that; never a moment with less than both have. */
  synchronise(id: string, program: Program, farewell?: Farewell): Promise<Correction>;

  /** Changes what the last successful call left there. `draining`: as in a `Farewell`. */
  apply(id: string, change: Change, draining?: ReadonlySet<ForwardId>): Promise<void>;

  /** What has gone through the forwards there, through this one or (`null`) all that are in the program. */
  counters(id: string, forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, Counters>>;

  /** How many flows go through the rules of this program there now; those without any are left out. */
  liveFlows(id: string, program: Program): Promise<ReadonlyMap<ForwardId, number>>;

  /** How full connection tracking is there. */
  flowUsage(id: string): Promise<FlowUsage>;

  /**
   * Waits for a packet of this flow there, and tells what became of it; `null`: none came in time. Besides the errors of
   * all calls: `watches_exhausted`.
   */
  observe(id: string, flow: WatchedFlow, patience: WatchPatience): Promise<Observation | null>;

  /** Looks for what keeps packets of these rules from getting through there; changes nothing. `probe`: asks their targets, too. */
  examine(id: string, rules: readonly Rule[], probe: boolean): Promise<InstanceFacts>;

  /** Whether the daemon may do what it has to on this machine. */
  examineNode(): Promise<NodeFacts>;

  /** Removes everything of ours. */
  clean(id: string): Promise<void>;

  /** Resolves as soon as everything asked before has been answered: whether it is stuck. */
  alive(): Promise<void>;

  /** Leaves the kernel as it is. */
  stop(): Promise<void>;
}
