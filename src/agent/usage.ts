import type { Counters } from '../model/counters.ts';
import type { ForwardId } from '../model/ids.ts';

/** When forwards were last used, as far as looking at their counters now and then can tell. */
export interface Usage {
  /**
   * When the counters were first seen as they are now (milliseconds since 1970): the forward was last used between then
   * and the look before. `null`: they have not risen since they were first looked at.
   */
  note(forward: ForwardId, counters: Counters, now: number): number | null;
  forget(forward: ForwardId): void;
}

export function createUsage(): Usage {
  const seen = new Map<ForwardId, { readonly sum: number; readonly risen: number | null }>();
  return {
    note(forward, counters, now) {
      const sum = sumOf(counters);
      const before = seen.get(forward);
      if (before !== undefined && before.sum === sum) return before.risen;
      const risen = before === undefined ? null : now;
      seen.set(forward, { sum, risen });
      return risen;
    },
    forget(forward) {
      seen.delete(forward);
    },
  };
}

function sumOf({ connections, in: incoming, out }: Counters): number {
  return connections + (incoming?.packets ?? 0) + (out?.packets ?? 0);
}
