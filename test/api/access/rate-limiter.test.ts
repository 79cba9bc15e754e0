import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateLimiter, type Debt, type Rate, take } from '../../../src/api/access/rate-limiter.ts';

const NONE: Debt = Number.NEGATIVE_INFINITY;

/** Prices that binary fractions can express, so that the sums below are exact. */
const rates = fc.record({ perSecond: fc.constantFrom(0.5, 1, 125, 250, 500), burst: fc.integer({ min: 1, max: 20 }) });
const pauses = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 });

/** When those were that were let through, of requests with these pauses before them. */
function passed(rate: Rate, gaps: readonly number[]): readonly number[] {
  let [debt, now] = [NONE, 0];
  return gaps.flatMap((gap) => {
    now += gap;
    const taken = take(debt, rate, now);
    debt = taken.debt;
    return taken.wait === 0 ? [now] : [];
  });
}

describe('what is let through', () => {
  test('is in no time more than a burst and what the rate gives in it', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, gaps) => {
        const times = passed(rate, gaps);
        for (const [from, first] of times.entries())
          for (const [to, last] of times.entries())
            if (to >= from)
              expect(to - from + 1).toBeLessThanOrEqual(rate.burst + ((last - first) * rate.perSecond) / 1000);
      }),
    );
  });

  test('is everything of who stays below the rate', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 100 }), (rate, count) => {
        expect(passed(rate, Array<number>(count).fill(1000 / rate.perSecond))).toHaveLength(count);
      }),
    );
  });

  test('is a whole burst after a pause, and not one more', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        expect(passed(rate, Array<number>(rate.burst + 1).fill(0))).toHaveLength(rate.burst);
      }),
    );
  });
});

test('who is refused is let through after the wait, and not before', () => {
  fc.assert(
    fc.property(rates, pauses, (rate, gaps) => {
      let [debt, now] = [NONE, 0];
      for (const gap of gaps) {
        now += gap;
        const taken = take(debt, rate, now);
        if (taken.wait > 0) {
          expect(taken.debt).toBe(debt);
          expect(take(debt, rate, now + taken.wait).wait).toBe(0);
          expect(take(debt, rate, now + taken.wait / 2).wait).toBeGreaterThan(0);
        }
        debt = taken.debt;
      }
    }),
  );
});

describe('a limiter', () => {
  const rate = { perSecond: 1, burst: 2 };

  test('counts each key by itself, and asking takes nothing', () => {
    const limiter = createRateLimiter(rate, 10, () => 5_000);
    expect([limiter.take('a'), limiter.ask('a'), limiter.take('a'), limiter.ask('a')]).toEqual([0, 0, 0, 1_000]);
    expect(limiter.take('a')).toBe(1_000);
    expect(limiter.take('b')).toBe(0);
  });

  test('forgets first who asked longest ago', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1 }, 2, () => 0);
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key);
    expect([limiter.ask('a'), limiter.ask('b'), limiter.ask('c')]).toEqual([1_000, 0, 1_000]);
  });
});
