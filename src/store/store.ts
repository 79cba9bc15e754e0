/**
 * The store port: revisioned keys with atomic checked commits and watches, after etcd's model
 * (https://etcd.io/docs/v3.5/learning/api/), so that one contract suite runs against every implementation.
 */

/** Values are JSON texts; a key's revision is that of the commit that last put it. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** Keys under a prefix, in key order, as they were at `revision` of the whole store. */
export interface Snapshot {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** Holds when `key` is at `revision`; 0: when it does not exist. */
export interface Check {
  readonly key: string;
  readonly revision: number;
}

export interface Commit {
  readonly checks?: readonly Check[];
  readonly puts?: readonly { readonly key: string; readonly value: string }[];
  readonly deletes?: readonly string[];
  /** False: a power cut may undo it (a crash of the daemon may not), which saves the wait for the disk. Default: true. */
  readonly durable?: boolean;
}

/** `committed`: everything happened, at this revision, and (unless it need not be durable) survives a power cut. Otherwise nothing did: a check failed. */
export type CommitResult =
  | { readonly committed: true; readonly revision: number }
  | { readonly committed: false; readonly failed: Check };

/** What one commit did under a watched prefix, all of it or what no later one has overtaken; `value` null: deleted. */
export interface Change {
  readonly revision: number;
  readonly changes: readonly { readonly key: string; readonly value: string | null }[];
}

export interface Store {
  /** Errors: `store_…`. */
  read(prefix: string): Promise<Snapshot>;

  /** One revision for the whole commit. A commit that changes nothing takes no revision. Errors: `store_…`; then nothing happened. */
  commit(commit: Commit): Promise<CommitResult>;

  /**
   * The changes under the prefix after revision `after`, in order, none twice, until `signal` is aborted
   * (then it ends) or the store is closed. A change of a key that a later one has overtaken may be left out, with
   * the rest of its commit or without it. Whoever applies all others to a snapshot has, after each revision he is told
   * of, every key as it was then, or as it was before and with a change still to come; and what `read` gives in the end.
   * A change is delivered before or after the commit that made it resolves, not necessarily in step.
   * Error `store_compacted`: changes that old are gone; read again.
   */
  watch(prefix: string, after: number, signal: AbortSignal): AsyncIterable<Change>;

  /**
   * Resolves while what is committed durably would be found by the next start. Error: `store_unavailable`, which every
   * durable commit ends with, too, as long as it is so.
   */
  verify(): Promise<void>;

  close(): Promise<void>;
}
