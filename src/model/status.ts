import type { Address } from './address.ts';
import { type Forward, GATEWAY, isExpired } from './forward.ts';
import type { ForwardId } from './ids.ts';
import type { Gateways, RouterId } from './router.ts';

/** Why one forward is not in the kernel although its router is. */
export interface Problem {
  /** `pending`: it will be, once something outside hatoba happens; `error`: something must be changed. */
  readonly state: 'pending' | 'error';
  readonly message: string;
}

/**
 * How far back what a router's kernel may still have can date: it is what was desired at some time from `revision` and `at` on,
 * on these gateway addresses or later ones.
 */
export interface Baseline {
  /** 0: no revision is known to have replaced everything before it. */
  readonly revision: number;
  /** As `printTime` gives it: what had expired by then is not in the kernel; empty: not known of any. */
  readonly at: string;
  readonly gateways: readonly Address[];
}

/** What a node found and did about one router. */
export interface RouterStatus {
  readonly router: RouterId;
  readonly node: string;
  /** Where the node has it; for Linux, names of network namespaces. */
  readonly instances: readonly string[];
  readonly gateways: Gateways;
  /** Everything up to this revision of the store is in the kernel, but for `problems`; 0: nothing yet. */
  readonly revision: number;
  /** The node's clock when it last made that so, as `printTime` gives it: what had expired by then is not in the kernel. */
  readonly at: string;
  readonly problems: Readonly<Record<ForwardId, Problem>>;
  /** What users should know of forwards that are in the kernel; none: not there. */
  readonly warnings?: Readonly<Record<ForwardId, readonly string[]>>;
  /** How many forwards are in the kernel that the store does not know; none: not there. See `Orphan`. */
  readonly orphaned?: number;
  /** What keeps the whole router from being applied. */
  readonly error: string | null;
  /** Where it is older than `revision`, `at` and `gateways` say, as it is until the first pass after a start. */
  readonly baseline?: Baseline;
}

/** The baseline that a status has, of its own or by what else it says. */
export function baselineOf({ baseline, revision, at, gateways }: RouterStatus): Baseline {
  return baseline ?? { revision, at, gateways: addressesOf(gateways) };
}

export function addressesOf(gateways: Gateways): readonly Address[] {
  return [gateways[4], gateways[6]].filter((address) => address !== undefined);
}

export const FORWARD_STATES = ['active', 'pending', 'waiting', 'disabled', 'expired', 'error'] as const;
export type ForwardState = (typeof FORWARD_STATES)[number];

export interface NodeForwardStatus {
  readonly node: string;
  readonly state: ForwardState;
  /** The outside address it has there; null: none yet. */
  readonly external_address: string | null;
  readonly revision: number;
  readonly at: string;
  readonly message: string | null;
}

/** A forward's state, over all nodes that have its router. */
export interface ForwardStatus {
  readonly state: ForwardState;
  readonly message: string | null;
  /** What others' rules have to do with it, though it is in the kernel: each says which rule shadows which. */
  readonly warnings: readonly string[];
  readonly nodes: readonly NodeForwardStatus[];
}

/**
 * `statuses`: of the forward's router, one a node. `now`, as `printTime` gives it, counts only where no node has the
 * router: one that has it tells what it has taken out.
 */
export function forwardStatus(forward: Forward, statuses: readonly RouterStatus[], now: string): ForwardStatus {
  const nodes = statuses.map((status) => onNode(forward, status));
  const best = ['active', 'error', 'pending'].map((state) => nodes.find((node) => node.state === state));
  const telling = best.find((node) => node !== undefined) ?? nodes[0] ?? nowhere(forward, now);
  const warnings = new Set(statuses.flatMap((status) => status.warnings?.[forward.id] ?? []));
  return { state: telling.state, message: telling.message, warnings: [...warnings], nodes };
}

type Told = Pick<ForwardStatus, 'state' | 'message'>;

function nowhere(forward: Forward, now: string): Told {
  return unwanted(forward, now) ?? { state: 'waiting', message: `no node has the router ${forward.router} yet` };
}

function onNode(forward: Forward, status: RouterStatus): NodeForwardStatus {
  const { state, message } = stateOnNode(forward, status);
  const external =
    forward.externalAddress === GATEWAY ? status.gateways[forward.internalAddress.family] : forward.externalAddress;
  const { node, revision, at } = status;
  return { node, state, external_address: external?.text ?? null, revision, at, message };
}

function stateOnNode(forward: Forward, status: RouterStatus): Told {
  if (status.error !== null) return { state: 'error', message: status.error };
  if (status.revision < forward.revision) return { state: 'pending', message: 'the node has not applied it yet' };
  return unwanted(forward, status.at) ?? status.problems[forward.id] ?? { state: 'active', message: null };
}

/** What keeps its place without being wanted anywhere. */
function unwanted(forward: Forward, now: string): Told | null {
  if (!forward.enabled) return { state: 'disabled', message: null };
  return isExpired(forward, now) ? { state: 'expired', message: null } : null;
}
