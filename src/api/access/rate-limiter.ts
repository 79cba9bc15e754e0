import { forgetOldest } from '../../model/bounded-map.ts';

/** So many a second in the long run, and so many at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Who has asked how often, as one number: the time (in ms) at which all that was taken so far is paid for, at the pace of
 * the rate. That is a leaky bucket, known as GCRA (ITU-T I.371, annex A).
 */
export type Debt = number;

/** What `take` makes of a debt. */
export interface Taken {
  readonly debt: Debt;
  /** In ms; 0: it was taken. Otherwise nothing was, and it will be there then. */
  readonly wait: number;
}

/** Takes one at `now`, in ms of the same clock as the debt. */
export function take(debt: Debt, { perSecond, burst }: Rate, now: number): Taken {
  const price = 1000 / perSecond;
  const paid = Math.max(debt, now) + price;
  const wait = paid - now - burst * price;
  return wait > 0 ? { debt, wait } : { debt: paid, wait: 0 };
}

/** One debt for each key, of a bounded number of keys. */
export interface RateLimiter {
  /** Takes one for the key: 0, or in how many ms there is one again. */
  take(key: string): number;
  /** The same without taking it. */
  ask(key: string): number;
}

/** Those whose last request is longest ago are forgotten first. */
const MOST_KEYS = 10_000;

/** `clock`: in ms, and never set back. */
export function createRateLimiter(
  rate: Rate,
  mostKeys = MOST_KEYS,
  clock: () => number = () => performance.now(),
): RateLimiter {
  // A Map keeps the order in which keys were put.
  const debts = new Map<string, Debt>();

  function look(key: string): Taken {
    return take(debts.get(key) ?? Number.NEGATIVE_INFINITY, rate, clock());
  }

  return {
    take(key) {
      const { debt, wait } = look(key);
      debts.delete(key);
      debts.set(key, debt);
      forgetOldest(debts, mostKeys);
      return wait;
    },

    ask: (key) => look(key).wait,
  };
}
