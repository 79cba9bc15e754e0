import type { RouterId } from '../model/router.ts';
import type { Registry } from '../registry/registry.ts';

export interface Wait {
  /** What is waited for; pure, and asked again whenever something about `router` has changed. */
  readonly done: () => boolean;
  readonly router: RouterId;
  readonly seconds: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Requests that wait for what a node reports. */
export interface Waiting {
  /** Resolves when it is done, when the time is over, when the client has gone, or at `end`: whichever comes first. */
  until(wait: Wait): Promise<void>;
  /** Ends all waits, these and later ones, at once. */
  end(): void;
}

export function createWaiting({ forwards, statuses }: Registry): Waiting {
  const open = new Set<() => void>();
  let ended = false;

  function until({ done, router, seconds, signal }: Wait): Promise<void> {
    if (ended || seconds === 0 || signal.aborted || done()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (changed: RouterId) => {
        if (changed === router && done()) finish();
      };
      const cancels = [
        statuses.subscribe(look),
        forwards.subscribe(({ touched }) => {
          if (touched.some((touch) => touch.router === router)) look(router);
        }),
      ];
      const timer = setTimeout(finish, seconds * 1000);
      signal.addEventListener('abort', finish);
      open.add(finish);

      function finish(): void {
        for (const cancel of cancels) cancel();
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        open.delete(finish);
        resolve();
      }
    });
  }

  function end(): void {
    ended = true;
    for (const finish of open) finish();
  }

  return { until, end };
}
