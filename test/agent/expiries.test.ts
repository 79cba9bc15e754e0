import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createExpiries } from '../../src/agent/expiries.ts';
import type { Forward } from '../../src/model/forward.ts';
import type { ForwardId } from '../../src/model/ids.ts';
import { printTime } from '../../src/model/time.ts';
import { forwardOf, idOf } from '../model/arbitraries.ts';

/** Few forwards and few times, so that they meet. */
const wish = fc.record({
  number: fc.nat(5),
  there: fc.constantFrom(true, true, true, false),
  enabled: fc.constantFrom(true, true, true, false),
  ends: fc.option(fc.nat(9)),
});
const step = fc.record({ wishes: fc.array(wish, { maxLength: 4 }), all: fc.boolean(), passes: fc.nat(1) });

const timeOf = (number: number): string => printTime(Date.UTC(2026, 0, 1, 0, 0, number));

test('it knows what a look at all forwards would find', () => {
  let [found, nothing] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const expiries = createExpiries();
      const forwards = new Map<ForwardId, Forward>();
      let now = 0;
      for (const { wishes, all, passes } of steps) {
        now += passes;
        const due = expiries.until(timeOf(now));
        for (const { number, there, enabled, ends } of wishes) {
          const expires_at = ends === null ? null : timeOf(ends);
          if (there) forwards.set(idOf(number), forwardOf({ enabled, expires_at }, { id: idOf(number) }));
          else forwards.delete(idOf(number));
        }
        const ids = new Set([...wishes.map(({ number }) => idOf(number)), ...due]);
        expiries.update(all ? 'all' : ids, forwards, timeOf(now));

        const coming = [...forwards.values()]
          .filter(({ enabled }) => enabled)
          .flatMap(({ id, expiresAt }) => (expiresAt === null || expiresAt <= timeOf(now) ? [] : [{ id, expiresAt }]));
        const times = coming.map(({ expiresAt }) => expiresAt).sort();
        expect(expiries.next()).toBe(times[0] ?? null);
        const soon = timeOf(now + 2);
        const expected = coming.filter(({ expiresAt }) => expiresAt <= soon).map(({ id }) => id);
        expect(expiries.until(soon)).toEqual(new Set(expected));
        [found, nothing] = [found + expected.length, nothing + Number(times.length === 0)];
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(found, nothing)).toBeGreaterThan(50);
});

test('a change of few among many looks at those alone, one of many at all', () => {
  const expiries = createExpiries();
  const forwards = new Map<ForwardId, Forward>();
  for (let number = 0; number < 5000; number++) {
    const id = idOf(number);
    forwards.set(id, forwardOf({ expires_at: timeOf(number % 50) }, { id }));
  }
  expiries.update('all', forwards, timeOf(-1));
  expect(expiries.until(timeOf(0)).size).toBe(100);
  const unread = new Proxy(forwards, {
    get: (map, name) => (name === 'get' ? map.get.bind(map) : expect.fail(`read ${String(name)}`)),
  });
  expiries.update(expiries.until(timeOf(0)), unread, timeOf(0));
  expect(expiries.next()).toBe(timeOf(1));
  expiries.update(expiries.until(timeOf(48)), forwards, timeOf(48));
  expect(expiries.until(timeOf(100)).size).toBe(100);
});
