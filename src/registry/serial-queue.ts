/** Runs tasks one after the other, in the order they came. */
export interface SerialQueue {
  /** Settles as the task does. */
  run<Result>(task: () => Promise<Result>): Promise<Result>;
}

export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const result = last.then(task);
      // Whoever awaits `result` hears of its failure; the queue only needs to know when it is over.
      last = result.catch(() => undefined);
      return result;
    },
  };
}
