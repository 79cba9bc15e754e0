import type { Rule } from '../program/rule.ts';

/** Rules that are being taken away, until their flows are ended, also where the daemon is killed in between. By instance. */
export interface FarewellMemory {
  /** Everything that was remembered and is not forgotten. */
  recall(id: string): Promise<readonly Rule[]>;
  /** Besides what was remembered before. It need not survive a power cut, which no flow does. */
  remember(id: string, rules: readonly Rule[]): Promise<void>;
  forget(id: string): Promise<void>;
}
