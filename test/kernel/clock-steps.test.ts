import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchClock } from '../../src/kernel/clock-steps.ts';
import type { KernelEvent } from '../../src/kernel/kernel.ts';
import { armClockTimer, openClockTimer, openPoller, type Poller } from '../../src/kernel/libc.ts';

let poller: Poller;
let events: KernelEvent[];
let ready: Map<number, () => void>;

beforeEach(() => {
  [poller, events, ready] = [openPoller(), [], new Map()];
});

afterEach(() => poller.close());

const hooks = {
  watch: (fd: number, mask: number, onReady: () => void) => {
    poller.add(fd, mask);
    ready.set(fd, onReady);
  },
  unwatch: (fd: number) => {
    poller.remove(fd);
    ready.delete(fd);
  },
  emit: (event: KernelEvent) => void events.push(event),
};

/** One turn of the kernel's thread, which waits for so many milliseconds at most. */
function turn(ms: number): void {
  for (const fd of poller.wait(ms)) ready.get(fd)?.();
}

test('nothing is told while nobody sets the clock', () => {
  const clock = watchClock(hooks);
  turn(100);
  expect(events).toEqual([]);
  clock.close();
  expect(ready.size).toBe(0);
});

// The machine's clock stays as it is: a timer that has expired wakes who waits for it as one that was cancelled does.
test('each time the timer wakes it is told once, and armed again', () => {
  const timer = openClockTimer();
  const clock = watchClock(hooks, timer);
  for (let time = 1; time <= 3; time++) {
    armClockTimer(timer, 1n);
    turn(1_000);
    expect(events).toEqual(Array.from({ length: time }, () => ({ kind: 'clock_set' })));
    turn(50);
    expect(events).toHaveLength(time);
  }
  clock.close();
});
