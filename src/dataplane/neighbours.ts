import type { ForeignRule, Removal } from '../model/adoption.ts';
import type { ForeignRules } from './linux/foreign-rules.ts';

/**
 * The rules that others have in the instances of a data plane. Errors: `namespace_gone`, `kernel_refused`,
 * `kernel_unsupported`, `kernel_stopped`.
 */
export interface Neighbours {
  /** The priority, as netfilter has it, at which forwards are translated: hooks with lower ones come before them. */
  readonly priority: number;
  read(id: string): Promise<ForeignRules>;
  /** Whether there are rules of which no event tells when they change. */
  changesInSilence(id: string): Promise<boolean>;
  /** Takes away just these rules of one instance, and of each only one where there are several alike; in their order. */
  remove(id: string, rules: readonly ForeignRule[]): Promise<readonly Removal[]>;
}
