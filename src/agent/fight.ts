/** Recognises a program that keeps undoing what we write, so that neither side makes the machine spin. */
export interface Fight {
  /** It was undone once more, at `now` (milliseconds): how long to wait before putting it right; 0: not at all. */
  disturbed(now: number): number;
  /** How often in a row. */
  count(): number;
  /** How long it must be quiet to be over. */
  calmAfter(): number;
}

/** So many disturbances in a row are answered at once. */
const PATIENCE = 20;
/** A row ends when nothing happens for so long. */
const PAUSE = 1_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 15_000;

export function createFight(): Fight {
  let count = 0;
  let wait = 0;
  let last = Number.NEGATIVE_INFINITY;
  return {
    disturbed(now) {
      if (now - last > wait + PAUSE) [count, wait] = [0, 0];
      last = now;
      count++;
      if (count > PATIENCE) wait = wait === 0 ? FIRST_WAIT : Math.min(2 * wait, LONGEST_WAIT);
      return wait;
    },
    count: () => count,
    calmAfter: () => wait + PAUSE,
  };
}
