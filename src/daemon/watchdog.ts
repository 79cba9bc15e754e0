import type { Notify } from '../kernel/systemd.ts';

/**
 * Tells the service manager twice in each of its intervals that the daemon is well, as long as `alive` resolves.
 * `interval`: milliseconds; `undefined`: nobody asks. Returns how to stop.
 */
export function startWatchdog(
  interval: number | undefined,
  alive: () => Promise<void>,
  notify: Notify,
  onError: (error: unknown) => void,
): () => void {
  if (interval === undefined) return () => {};
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    alive()
      .then(() => notify('WATCHDOG=1'))
      .catch(onError)
      .finally(() => {
        asking = false;
      });
  }, interval / 2);
  return () => clearInterval(timer);
}
