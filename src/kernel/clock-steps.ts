import { closeSync } from 'node:fs';
import type { KernelEvent } from './kernel.ts';
import { armClockTimer, EPOLLIN, openClockTimer, readNow, SystemCallError } from './libc.ts';

interface Hooks {
  readonly watch: (fd: number, events: number, onReady: () => void) => void;
  readonly unwatch: (fd: number) => void;
  readonly emit: (event: KernelEvent) => void;
}

export interface ClockWatch {
  close(): void;
}

/**
 * Tells when the machine's clock was set, or the machine has slept, by a timer that goes for ever and that Linux cancels
 * then (`man 2 timerfd_create`: TFD_TIMER_CANCEL_ON_SET). A clock that is led to the right time slowly is no event.
 */
export function watchClock({ watch, unwatch, emit }: Hooks, timer = openClockTimer()): ClockWatch {
  armClockTimer(timer);
  watch(timer, EPOLLIN, onCancelled);
  return {
    close() {
      unwatch(timer);
      closeSync(timer);
    },
  };

  function onCancelled(): void {
    takeCancellation(timer);
    // Before it is told, so that a step which comes after it is one of its own.
    armClockTimer(timer);
    emit({ kind: 'clock_set' });
  }
}

/** Reading is what ends the cancellation, and fails by it. */
function takeCancellation(timer: number): void {
  try {
    readNow(timer, Buffer.alloc(8));
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== 'ECANCELED') throw error;
  }
}
