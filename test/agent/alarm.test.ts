import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAlarm } from '../../src/agent/alarm.ts';
import { printTime } from '../../src/model/time.ts';

const [SECOND, HOUR, DAY] = [1000, 3_600_000, 86_400_000];

let rung: number[];
let started: number;

beforeEach(() => {
  vi.useFakeTimers();
  [rung, started] = [[], Date.now()];
});

afterEach(() => {
  vi.useRealTimers();
});

function alarmFor(milliseconds: number | null) {
  const alarm = createAlarm(() => rung.push(Date.now() - started));
  alarm.set(milliseconds === null ? null : printTime(started + milliseconds));
  return alarm;
}

describe('an alarm', () => {
  test.each([1, 1500, HOUR, HOUR + 1, 30 * DAY, 400 * DAY])('for %d ms rings then, and once', (milliseconds) => {
    alarmFor(milliseconds);
    vi.advanceTimersByTime(milliseconds - 1);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(DAY);
    expect(rung).toEqual([milliseconds]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('for a time that has passed rings soon, not at once', () => {
    alarmFor(-DAY);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rung).toHaveLength(1);
  });

  test('that is set anew forgets what it was set to', () => {
    const alarm = alarmFor(SECOND);
    alarm.set(printTime(started + 2 * SECOND));
    vi.advanceTimersByTime(DAY);
    expect(rung).toEqual([2 * SECOND]);
  });

  test('for no time takes no timer', () => {
    alarmFor(null);
    alarmFor(SECOND).set(null);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not early where the clock is set back', () => {
    alarmFor(2 * SECOND);
    vi.setSystemTime(started - 10 * SECOND);
    vi.advanceTimersByTime(11 * SECOND);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(SECOND);
    expect(rung).toEqual([2 * SECOND]);
  });

  test('is an hour late at most where the clock was set forward, or stood still while the machine slept', () => {
    alarmFor(30 * DAY);
    vi.advanceTimersByTime(HOUR / 2);
    vi.setSystemTime(started + 31 * DAY);
    vi.advanceTimersByTime(HOUR / 2);
    expect(rung).toHaveLength(1);
  });
});
