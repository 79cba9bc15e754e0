import { onTestFinished, vi } from 'vitest';

/**
 * Sets the wall clock of this process forward by so many ms, and stops it there until the test has finished. Timers and
 * the monotonic clock go on. A test of what expires needs no end so close that a slow machine comes too late for it.
 */
export function setClockForward(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
  onTestFinished(() => void vi.useRealTimers());
}
