/**
 * Long work of requests in slices, so that the event loop gets to everything else between them. Owners take turns: one with
 * many slices that wait delays the others by one slice each.
 */
export interface WorkSlices {
  /** What `work` gives or throws, called in a later turn of the event loop, when it is the owner's turn. */
  run<Result>(owner: string, work: () => Result): Promise<Result>;
}

/** How much of a turn of the event loop all slices together take, in ms; the last one may take longer. */
const SHARE = 5;

export function createWorkSlices(): WorkSlices {
  /** In the order of the turns. */
  const waiting = new Map<string, (() => void)[]>();
  let isDue = false;

  function next(): (() => void) | undefined {
    for (const [owner, slices] of waiting) {
      const slice = slices.shift();
      waiting.delete(owner);
      if (slices.length > 0) waiting.set(owner, slices);
      if (slice !== undefined) return slice;
    }
    return undefined;
  }

  function schedule(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      const end = performance.now() + SHARE;
      for (let slice = next(); slice !== undefined; slice = next()) {
        slice();
        if (performance.now() >= end) break;
      }
      if (waiting.size > 0) schedule();
    });
  }

  return {
    run: (owner, work) =>
      new Promise((resolve, reject) => {
        const slices = waiting.get(owner) ?? [];
        slices.push(() => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        });
        waiting.set(owner, slices);
        schedule();
      }),
  };
}
