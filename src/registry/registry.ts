import type { Forward, ForwardSpec } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';

/** Which forwards changed, and up to which revision of the store they are now known. */
export interface ForwardsChange {
  readonly revision: number;
  readonly touched: readonly { readonly router: RouterId; readonly id: ForwardId }[];
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

  /** Writes it unless it conflicts, decided inside the store's transaction. Errors: `forward_conflict`, `name_taken`, `store_…`. */
  create(spec: ForwardSpec): Promise<Forward>;
  /**
   * `expected`: only if it is still at that revision. `change` is called again where somebody else's change came
   * first; what changes nothing takes no revision. Errors: as `create`, `forward_not_found`, `revision_mismatch`.
   */
  update(id: ForwardId, change: (spec: ForwardSpec) => ForwardSpec, expected?: number): Promise<Forward>;
  /** The revision at which it is gone. Errors: `forward_not_found`, `revision_mismatch`, `store_…`. */
  remove(id: ForwardId, expected?: number): Promise<number>;

  /** Called after the index has changed; returns how to unsubscribe. */
  subscribe(listener: (change: ForwardsChange) => void): () => void;
}

/** Observed state: what each node says about each router it has. */
export interface Statuses {
  of(router: RouterId): readonly RouterStatus[];
  ofNode(node: string): readonly RouterStatus[];
  /** Every router some node has, in order. */
  routers(): readonly RouterId[];
  /** One commit for all of them. `gone`: routers this node no longer has. */
  publish(node: string, statuses: readonly RouterStatus[], gone: readonly RouterId[]): Promise<void>;
  subscribe(listener: (router: RouterId) => void): () => void;
}

export interface Registry {
  readonly forwards: Forwards;
  readonly statuses: Statuses;
  stop(): Promise<void>;
}
