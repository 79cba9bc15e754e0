import { hatobaError } from '../../model/errors.ts';

/** Bounds the memory of answers that are being produced or wait for their clients to read them. */
export interface AnswerBudget {
  /**
   * Reserves so many bytes until the returned function is called. Waits until there are as many left, of all and of the
   * owner's share, and until `signal` is aborted, at most. Waiters are served in order, but one that waits for its owner's
   * share does not hold up other owners. Error: `answers_exhausted`, when it has waited too long or too many wait.
   */
  reserve(owner: string, bytes: number, signal: AbortSignal): Promise<() => void>;
  /** The same without waiting. */
  takeNow(owner: string, bytes: number): () => void;
}

export interface AnswerLimits {
  /** Bytes of all answers together. */
  readonly inSum: number;
  /** Bytes of the answers of one owner. One larger than that counts as that large. */
  readonly ofOwner: number;
  /** How many answers of one owner may wait. */
  readonly waitingOfOwner: number;
  /** How long an answer waits, in ms. */
  readonly longestWait: number;
}

export const ANSWER_LIMITS: AnswerLimits = Object.freeze({
  inSum: 64 * 1024 * 1024,
  ofOwner: 16 * 1024 * 1024,
  waitingOfOwner: 128,
  longestWait: 30_000,
});

/** In seconds. */
const RETRY_AFTER = 5;

interface Waiter {
  readonly owner: string;
  readonly bytes: number;
  readonly begin: () => void;
}

export function createAnswerBudget(limits: AnswerLimits = ANSWER_LIMITS): AnswerBudget {
  const { inSum, ofOwner, waitingOfOwner, longestWait } = limits;
  const used = new Map<string, number>();
  let sum = 0;
  const waiting = new Set<Waiter>();

  function take(owner: string, bytes: number): () => void {
    sum += bytes;
    used.set(owner, (used.get(owner) ?? 0) + bytes);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      sum -= bytes;
      const left = (used.get(owner) ?? 0) - bytes;
      if (left > 0) used.set(owner, left);
      else used.delete(owner);
      serve();
    };
  }

  function hasShare({ owner, bytes }: Pick<Waiter, 'owner' | 'bytes'>): boolean {
    return (used.get(owner) ?? 0) + bytes <= ofOwner;
  }

  function serve(): void {
    for (const waiter of waiting) {
      if (!hasShare(waiter)) continue;
      if (sum + waiter.bytes > inSum) return;
      waiter.begin();
    }
  }

  function refusal(): Error {
    const parameters = { limit: mebibytes(ofOwner), total: mebibytes(inSum), seconds: RETRY_AFTER };
    return hatobaError('answers_exhausted', parameters, { retryAfter: RETRY_AFTER });
  }

  function isFree(owner: string, bytes: number): boolean {
    return hasShare({ owner, bytes }) && sum + bytes <= inSum;
  }

  return {
    takeNow(owner, wanted) {
      const bytes = Math.min(wanted, ofOwner, inSum);
      if (!isFree(owner, bytes)) throw refusal();
      return take(owner, bytes);
    },

    async reserve(owner, wanted, signal) {
      const bytes = Math.min(wanted, ofOwner, inSum);
      const others = Array.from(waiting).filter((waiter) => waiter.owner === owner).length;
      if (others === 0 && isFree(owner, bytes)) return take(owner, bytes);
      if (others >= waitingOfOwner || signal.aborted) throw refusal();
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          owner,
          bytes,
          begin() {
            leave();
            resolve(take(owner, bytes));
          },
        };
        const refuse = () => {
          leave();
          reject(refusal());
        };
        const timer = setTimeout(refuse, longestWait);
        signal.addEventListener('abort', refuse);
        waiting.add(waiter);

        function leave(): void {
          waiting.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener('abort', refuse);
        }
      });
    },
  };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
