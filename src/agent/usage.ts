import type { Counters } from '../model/counters.ts';
import type { ForwardId } from '../model/ids.ts';
import type { UsageMemory, Use } from './usage-memory.ts';

/** When forwards were last used, as far as looking at their counters now and then can tell. */
export interface Usage {
  /** Takes up what an earlier daemon knew of those forwards that are `present`. Before anything is noted. */
  recall(present: (forward: ForwardId) => boolean): Promise<void>;
  /**
   * When the counters were first seen as they are now (milliseconds since 1970): the forward was last used between then
   * and the look before. `null`: they have not risen since they were first looked at. Counters that begin anew, as after a
   * reboot, are no use. A time that is given never becomes unknown again, not even when the daemon is killed.
   */
  note(counted: ReadonlyMap<ForwardId, Counters>, now: number): Promise<ReadonlyMap<ForwardId, number | null>>;
  forget(forward: ForwardId): void;
  /** What has been noted is remembered then. */
  stop(): Promise<void>;
}

export interface UsageOptions {
  readonly memory: UsageMemory;
  /** It could not be read, or not be written; the latter is tried again. */
  readonly onError: (error: unknown) => void;
}

type Seen = Omit<Use, 'forward'>;

/** How long what was noted may wait to be written, in milliseconds. */
const LATER = 60_000;

export function createUsage({ memory, onError }: UsageOptions): Usage {
  const seen = new Map<ForwardId, Seen>();
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function* all(): Generator<Use, void> {
    for (const [forward, { sum, risen }] of seen) yield { forward, sum, risen };
  }

  function writeLater(): void {
    if (!stopped) timer ??= setTimeout(() => void write(), LATER);
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(remember);
    return writing;
  }

  async function remember(): Promise<void> {
    try {
      await memory.remember(all());
    } catch (error) {
      onError(error);
      writeLater();
    }
  }

  return {
    async recall(present) {
      try {
        for (const { forward, ...use } of await memory.recall()) if (present(forward)) seen.set(forward, use);
      } catch (error) {
        onError(error);
      }
    },

    async note(counted, now) {
      let isFirst = false;
      const times = new Map<ForwardId, number | null>();
      for (const [forward, counters] of counted) {
        const before = seen.get(forward);
        const use = seenNow(before, sumOf(counters), now);
        times.set(forward, use.risen);
        if (use === before) continue;
        seen.set(forward, use);
        isFirst ||= use.risen !== null && before?.risen === null;
        writeLater();
      }
      if (isFirst) await write();
      return times;
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
  return { sum, risen: sum === 0 ? before.risen : now };
}

function sumOf({ connections, in: incoming, out }: Counters): number {
  return connections + (incoming?.packets ?? 0) + (out?.packets ?? 0);
}
