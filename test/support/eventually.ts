import { setTimeout as sleep } from 'node:timers/promises';

/** Long, since how fast the machine is must not matter; where the check succeeds, nothing waits for it. */
const PATIENCE = 60_000;
const PAUSE = 10;

/** Asks until `check` no longer throws, and gives what it gave. After `patience` milliseconds, throws what it threw last. */
export async function eventually<Value>(check: () => Value | Promise<Value>, patience = PATIENCE): Promise<Value> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(PAUSE);
  }
}
