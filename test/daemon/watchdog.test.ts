import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startWatchdog } from '../../src/daemon/watchdog.ts';
import { openNotify, watchdogInterval } from '../../src/kernel/systemd.ts';

let told: string[];
let errors: unknown[];
const notify = (state: string) => void told.push(state);
const onError = (error: unknown) => void errors.push(error);

beforeEach(() => {
  vi.useFakeTimers();
  [told, errors] = [[], []];
});

afterEach(() => {
  vi.useRealTimers();
});

test('it tells twice in each interval, until it is stopped', async () => {
  const stop = startWatchdog(1_000, async () => {}, notify, onError);
  await vi.advanceTimersByTimeAsync(499);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_501);
  expect(told).toEqual(Array<string>(4).fill('WATCHDOG=1'));
  stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toHaveLength(4);
});

test('while there is no answer it is silent, and asks only once', async () => {
  let asked = 0;
  const answer = Promise.withResolvers<void>();
  const alive = () => {
    asked++;
    return answer.promise;
  };
  const stop = startWatchdog(1_000, alive, notify, onError);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([asked, told]).toEqual([1, []]);
  answer.resolve();
  await vi.advanceTimersByTimeAsync(500);
  expect(told).toHaveLength(2);
  stop();
});

test('an answer that is an error is handed on, and nothing told', async () => {
  const failure = new Error('stuck');
  const stop = startWatchdog(1_000, () => Promise.reject(failure), notify, onError);
  await vi.advanceTimersByTimeAsync(500);
  expect([told, errors]).toEqual([[], [failure]]);
  stop();
});

test('where nobody asks, it does nothing', () => {
  startWatchdog(undefined, async () => {}, notify, onError)();
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  [{}, undefined],
  [{ WATCHDOG_USEC: '30000000' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
])('the environment %j of process 7 asks every %s ms', (environment, interval) => {
  expect(watchdogInterval(environment, 7)).toBe(interval);
});

test('without a service manager telling it anything is nothing', () => {
  expect(() => openNotify({})('READY=1')).not.toThrow();
});
