/** Rings once, when a time has come by the machine's clock. */
export interface Alarm {
  /** In place of what it was set to before; `time` as `printTime` gives it, null: never. */
  set(time: string | null): void;
}

/**
 * Timers go by a clock that stands still while the machine sleeps and does not follow when the real one is set. So
 * none runs for longer than this before the real clock is asked again: by so much can an alarm be late after that
 * where nobody sets it anew, and by nothing otherwise. It is also less than the longest that setTimeout knows, about 25 days.
 */
const LONGEST = 60 * 60 * 1000;

export function createAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;

  function waitFor(time: number): void {
    const left = Math.max(time - Date.now(), 0);
    timer = setTimeout(look, Math.min(left, LONGEST), time);
  }

  function look(time: number): void {
    if (Date.now() < time) waitFor(time);
    else ring();
  }

  return {
    set(time) {
      clearTimeout(timer);
      if (time !== null) waitFor(Date.parse(time));
    },
  };
}
