import { setImmediate } from 'node:timers/promises';

/** In ms. */
const TURN = 10;

/**
 * For long work in pieces: to be awaited between them. After some time, whoever else waits for the process has a turn
 * first.
 */
export function takeTurns(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began <= TURN) return;
    await setImmediate();
    began = performance.now();
  };
}
