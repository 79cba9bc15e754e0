import type { Forward, ForwardSpec } from '../model/forward.ts';
import type { ForwardDraft } from '../model/forward-draft.ts';
import type { Grants } from '../model/grants.ts';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import type { RetiredForward } from './forwards/teardown-record.ts';

export type { RetiredForward } from './forwards/teardown-record.ts';

/** Which forwards changed, and up to which revision of the store they are now known. */
export interface ForwardsChange {
  readonly revision: number;
  readonly touched: readonly { readonly router: RouterId; readonly id: ForwardId }[];
}

/** One forward that a batch wants. */
export interface WantedForward {
  /** Which forward it is, or will be; null: the one of its name, else the one at its place, else a new one. */
  readonly id: ForwardId | null;
  readonly spec: ForwardSpec;
  /** The times it is to have; null: those of the change. */
  readonly times: Pick<Forward, 'createdAt' | 'updatedAt'> | null;
}

/** What many forwards are to be, decided on what they are together in the end: two can swap their ports or names. */
export interface ForwardBatch {
  /** New ones are as old as each other, and come in this order. */
  readonly wanted: readonly WantedForward[];
  /** Which of those that are not wanted are removed. */
  readonly prunes: (forward: Forward) => boolean;
  /** Decide, and change nothing. */
  readonly dryRun: boolean;
  /** `restore`: what was accepted once is not refused because gateways have changed since. */
  readonly kind: 'apply' | 'restore';
  /** Refused where there are forwards already. */
  readonly intoEmpty: boolean;
}

/** What becomes of one forward; null: it is not there. */
export interface ForwardChange {
  /** Null: it would get one. */
  readonly id: ForwardId | null;
  readonly before: ForwardSpec | null;
  readonly after: ForwardSpec | null;
}

/** A request that can be told when it comes again. */
export interface KeyedRequest {
  /** Who sends it: the keys of others are not his. */
  readonly caller: string;
  readonly key: string;
  /** Of what is asked for: another wish has another one. */
  readonly fingerprint: string;
}

export interface BatchOutcome {
  /** From which on the store has it; the present one where nothing changed. */
  readonly revision: number;
  /** Those wanted first, in their order, then those removed, oldest first. */
  readonly changes: readonly ForwardChange[];
  /** How many of those wanted are as they are to be. */
  readonly unchanged: number;
}

/** Desired state: forwards, indexed in memory, kept in step with the store by a watch. */
export interface Forwards {
  /** The revision of the store up to which the index is complete. */
  revision(): number;
  get(id: ForwardId): Forward | undefined;
  /** By id, by name, or by unique beginning of an id, in this order. Errors: `forward_not_found`, `reference_ambiguous`. */
  find(reference: string): Forward;
  /** All, oldest first. */
  list(): readonly Forward[];
  /** A live view, not a snapshot: read it without a pause. */
  ofRouter(router: RouterId): ReadonlyMap<ForwardId, Forward>;
  /** Whether a forward that is not there for who asks has this place, or a part of it: the same that `create` would say. */
  isTakenUnseen(spec: ForwardSpec): boolean;
  /**
   * All that conflict with the spec or lead to a port where it leads, and perhaps others; some perhaps several times. The
   * cost grows with how many these are, not with how many forwards there are.
   */
  near(spec: ForwardSpec): readonly Forward[];
  /** Forwards that were removed with their flows to go on, which some node that has the router may not know yet. */
  draining(router: RouterId): ReadonlySet<ForwardId>;
  /**
   * Forwards of the router as they were before a commit after the revision that removed them or led them elsewhere, as far
   * as some node that has the router may not have applied it; a forward that changed several times is there several
   * times. Error: `store_unreadable`.
   */
  retiredSince(router: RouterId, revision: number): readonly RetiredForward[];

  /**
   * Whether the store has such a forward, or had it: some ten thousand that were removed are remembered. A forward that is in a
   * kernel and is not known is none that was removed on purpose.
   */
  isKnown(id: ForwardId): boolean;

  /**
   * Writes it unless it conflicts, with ports that are free where it leaves them open; decided inside the store's
   * transaction. With `request`, the same commit remembers for a day that it was answered, and how. Errors:
   * `forward_conflict`, `auto_ports_exhausted`, `name_taken`, `expiry_past`, `store_…`; `request_repeated` where it was
   * answered already.
   */
  create(draft: ForwardDraft, request?: KeyedRequest): Promise<Forward>;
  /**
   * Makes all of them, or none, in one commit; none of them is one that is there. Ports that some leave open are chosen last. An
   * error names the item: `forwards.3.external_port`. Errors: as `create`.
   */
  createAll(drafts: readonly ForwardDraft[], request?: KeyedRequest): Promise<BatchOutcome>;
  /** The forward that the request made, as it was then; null: it has made none, or that is forgotten. Error: `idempotency_key_reused`. */
  createdBy(request: KeyedRequest): Promise<Forward | null>;
  /**
   * `expected`: only if it is still at that revision. `change` is called again where somebody else's change came
   * first; what changes nothing takes no revision. Errors: as `create`, `forward_not_found`, `revision_mismatch`.
   */
  update(id: ForwardId, change: (spec: ForwardSpec) => ForwardDraft, expected?: number): Promise<Forward>;
  /**
   * The revision at which it is gone. `drain`: its flows go on until they end by themselves; default: they are ended.
   * Errors: `forward_not_found`, `revision_mismatch`, `store_…`.
   */
  remove(id: ForwardId, expected?: number, how?: { readonly drain?: boolean }): Promise<number>;
  /**
   * Brings many forwards to what the batch wants, all or none, in one commit. An error names the item at fault:
   * `forwards.3.external_port`. Errors: as `create`, `item_repeated`, `store_not_empty`.
   */
  apply(batch: ForwardBatch, request?: KeyedRequest): Promise<BatchOutcome>;
  /** What the request did; null: nothing, or that is forgotten. Error: `idempotency_key_reused`. */
  appliedBy(request: KeyedRequest): Promise<BatchOutcome | null>;

  /** Called after the index has changed; returns how to unsubscribe. */
  subscribe(listener: (change: ForwardsChange) => void): () => void;
}

/** Observed state: what each node says about each router it has. */
export interface Statuses {
  of(router: RouterId): readonly RouterStatus[];
  ofNode(node: string): readonly RouterStatus[];
  /** Every router some node has, in order. */
  routers(): readonly RouterId[];
  /** One commit for all of them, which also forgets drains and teardowns that every node has applied. `gone`: routers this node no longer has. */
  publish(node: string, statuses: readonly RouterStatus[], gone: readonly RouterId[]): Promise<void>;
  subscribe(listener: (router: RouterId) => void): () => void;
}

/** A part of what one commit changed, or of what no later one has overtaken, with the values of now; null: it is gone. */
export interface RegistryChange {
  readonly revision: number;
  /** Numbers the parts of a revision, in order, of which some may be left out. */
  readonly part: number;
  /** Whether it is the last part of the revision for this reader. */
  readonly isLast: boolean;
  readonly forwards: readonly { readonly router: RouterId; readonly id: ForwardId; readonly forward: Forward | null }[];
  readonly statuses: readonly {
    readonly router: RouterId;
    readonly node: string;
    readonly status: RouterStatus | null;
  }[];
  /** Of all forwards and statuses that the revision changed, told in its last parts. */
  readonly routers: readonly RouterId[];
  /** Of all these statuses, with the routers that the statuses are of. */
  readonly nodes: readonly { readonly name: string; readonly routers: readonly RouterId[] }[];
}

/** A project that asks, and what projects may have. */
export interface Tenant {
  /** `null`: nothing is there for it, and it may make nothing. */
  readonly project: string | null;
  readonly grants: Grants;
}

export interface Registry {
  readonly forwards: Forwards;
  readonly statuses: Statuses;
  /** Since which revision all forwards, and the addresses that they have outside, are as they are. */
  listingRevision(): number;
  /**
   * What changes after a revision, in order and in small parts, until `signal` is aborted; each change is told when it can
   * also be read here. Between two parts, nothing but a position is held. Error `store_compacted`: changes that old are gone;
   * list again.
   */
  changes(after: number, signal: AbortSignal): AsyncIterable<RegistryChange>;
  /**
   * This registry as a tenant has it: what is of others does not exist, but for the places it takes, and what it may have
   * is limited. Errors besides: `project_not_allowed`, `router_not_found`, `port_not_permitted`, `address_not_permitted`,
   * `quota_exceeded`.
   */
  within(tenant: Tenant): Registry;
  stop(): Promise<void>;
}
