import type { Counters } from '../model/counters.ts';
import type { ForwardId } from '../model/ids.ts';
import type { UsageMemory, Use } from './usage-memory.ts';

/** When forwards were last used, as far as looking at their counters now and then can tell. */
export interface Usage {
  /** Takes up what an earlier daemon knew. Before anything is noted. */
  recall(): Promise<void>;
  /**
   * When the counters were first seen to have risen to what they are now (milliseconds since 1970): the forward was last
   * used between then and the look before. `null`: they have not risen since it began, or they were first looked at. Counters that fall
   * have begun anew in some place, which is no use. A daemon that is killed may forget a first use of the last second.
   */
  note(counted: ReadonlyMap<ForwardId, Counters>, now: number): ReadonlyMap<ForwardId, number | null>;
  /** There is a new forward, which nobody can have used before. Nothing, where it is known already. */
  begin(forward: ForwardId): void;
  forget(forward: ForwardId): void;
  /** What has been noted is remembered then. */
  stop(): Promise<void>;
}

export interface UsageOptions {
  readonly memory: UsageMemory;
  /** Whether there is such a forward: of others, nothing is kept. */
  readonly present: (forward: ForwardId) => boolean;
  /** It could not be read, or not be written; the latter is tried again. */
  readonly onError: (error: unknown) => void;
}

type Seen = Omit<Use, 'forward'>;

/** How long what was noted may wait to be written, in milliseconds: a first use, and a later one. */
const SOON = 1_000;
const LATER = 60_000;

export function createUsage({ memory, present, onError }: UsageOptions): Usage {
  const seen = new Map<ForwardId, Seen>();
  let recalled = false;
  let writing = Promise.resolve();
  let timer: { readonly wait: number; readonly handle: NodeJS.Timeout } | undefined;
  let stopped = false;

  function* all(): Generator<Use, void> {
    for (const [forward, { sum, risen }] of seen) yield { forward, sum, risen };
  }

  function writeIn(wait: number): void {
    if (stopped || (timer !== undefined && timer.wait <= wait)) return;
    clearTimeout(timer?.handle);
    timer = { wait, handle: setTimeout(() => void write(), wait) };
  }

  function write(): Promise<void> {
    clearTimeout(timer?.handle);
    timer = undefined;
    writing = writing.then(remember);
    return writing;
  }

  /** What could not be read is not replaced: it is read first, and what has been noted since counts over it. */
  async function remember(): Promise<void> {
    try {
      if (!recalled) await takeUp();
      await memory.remember(all());
    } catch (error) {
      onError(error);
      writeIn(LATER);
    }
  }

  async function takeUp(): Promise<void> {
    for (const { forward, ...use } of await memory.recall()) {
      const noted = seen.get(forward);
      if (present(forward))
        seen.set(forward, noted === undefined ? use : { ...noted, risen: noted.risen ?? use.risen });
    }
    recalled = true;
  }

  return {
    recall: () => takeUp().catch(onError),

    note(counted, now) {
      const times = new Map<ForwardId, number | null>();
      for (const [forward, counters] of counted) {
        const before = seen.get(forward);
        const use = seenNow(before, sumOf(counters), now);
        times.set(forward, use.risen);
        // The kernel can still have what was removed meanwhile.
        if (use === before || !present(forward)) continue;
        seen.set(forward, use);
        writeIn(use.risen !== null && before?.risen === null ? SOON : LATER);
      }
      return times;
    },

    begin(forward) {
      if (seen.has(forward)) return;
      seen.set(forward, { sum: 0, risen: null });
      writeIn(LATER);
    },

    forget(forward) {
      seen.delete(forward);
    },

    async stop() {
      stopped = true;
      await (timer === undefined ? writing : write());
    },
  };
}

function seenNow(before: Seen | undefined, sum: number, now: number): Seen {
  if (before === undefined) return { sum, risen: null };
  if (before.sum === sum) return before;
  return { sum, risen: sum > before.sum ? now : before.risen };
}

function sumOf({ connections, in: incoming, out }: Counters): number {
  return connections + (incoming?.packets ?? 0) + (out?.packets ?? 0);
}
