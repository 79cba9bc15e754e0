import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AnswerLimits, createAnswerBudget } from '../../../src/api/answers/answer-budget.ts';

const LIMITS: AnswerLimits = { inSum: 100, ofOwner: 60, waitingOfOwner: 2, longestWait: 1_000 };
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** What has become of a reservation so far. */
function watched(reservation: Promise<() => void>) {
  const outcome: { state: unknown; release: () => void } = { state: 'waiting', release: () => undefined };
  reservation.then(
    (release) => Object.assign(outcome, { state: 'held', release }),
    (error: unknown) =>
      Object.assign(outcome, { state: error instanceof Error && 'code' in error ? error.code : error }),
  );
  return outcome;
}

const settle = () => new Promise(setImmediate);

test('an owner has its share, and the others what is left', async () => {
  const budget = createAnswerBudget(LIMITS);
  const first = watched(budget.reserve('a', 60, never));
  const second = watched(budget.reserve('a', 1, never));
  const other = watched(budget.reserve('b', 40, never));
  const third = watched(budget.reserve('c', 1, never));
  await settle();
  expect([first, second, other, third].map(({ state }) => state)).toEqual(['held', 'waiting', 'held', 'waiting']);
  other.release();
  await settle();
  expect([second.state, third.state]).toEqual(['waiting', 'held']);
  first.release();
  await settle();
  expect(second.state).toBe('held');
});

test('releasing twice releases once', async () => {
  const budget = createAnswerBudget(LIMITS);
  const first = watched(budget.reserve('a', 60, never));
  await settle();
  first.release();
  first.release();
  watched(budget.reserve('a', 60, never));
  const next = watched(budget.reserve('a', 1, never));
  await settle();
  expect(next.state).toBe('waiting');
});

test('what waits too long, and more than may wait, is refused with the time to try again', async () => {
  const budget = createAnswerBudget(LIMITS);
  await budget.reserve('a', 60, never);
  const waiting = [1, 2].map(() => watched(budget.reserve('a', 10, never)));
  await expect(budget.reserve('a', 10, never)).rejects.toMatchObject({
    code: 'answers_exhausted',
    status: 503,
    retryAfter: 5,
  });
  await vi.advanceTimersByTimeAsync(999);
  expect(waiting.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  await vi.advanceTimersByTimeAsync(1);
  expect(waiting.map(({ state }) => state)).toEqual(['answers_exhausted', 'answers_exhausted']);
  expect(() => budget.takeNow('a', 1)).toThrow(expect.objectContaining({ code: 'answers_exhausted' }));
});

test('a client that has gone waits no longer', async () => {
  const budget = createAnswerBudget(LIMITS);
  const first = watched(budget.reserve('a', 60, never));
  const gone = new AbortController();
  const waiting = watched(budget.reserve('a', 60, gone.signal));
  gone.abort();
  await settle();
  expect(waiting.state).toBe('answers_exhausted');
  first.release();
  expect(() => budget.takeNow('a', 60)).not.toThrow();
});

test('an answer that is larger than the share has all of it', async () => {
  const budget = createAnswerBudget(LIMITS);
  const first = watched(budget.reserve('a', 1_000, never));
  await settle();
  expect(first.state).toBe('held');
  expect(() => budget.takeNow('b', 40)).not.toThrow();
});
