import type { ForwardId } from '../model/ids.ts';

/** What was last seen of the counters of one forward. */
export interface Use {
  readonly forward: ForwardId;
  /** Of everything that they count. */
  readonly sum: number;
  /** Milliseconds since 1970; `null`: not known; see `Usage.note`. */
  readonly risen: number | null;
}

/** Where that is kept while no daemon runs. */
export interface UsageMemory {
  recall(): Promise<readonly Use[]>;
  /** In place of what was kept before. It need not survive a power cut. The items can change while they are taken. */
  remember(uses: Iterable<Use>): Promise<void>;
}

/** Ends with the daemon. */
export const FORGETFUL: UsageMemory = Object.freeze({ recall: async () => [], remember: async () => undefined });
