/** Whether something answers, as the operator is told it. */
export interface Availability {
  failed(error: unknown): void;
  worked(): void;
}

/** So long nothing must have failed until it is believed to be over, in milliseconds: who asks must not fill the log. */
const QUIET = 10_000;

/** `tell` hears what is wrong when it begins, and `null` when it is over. `clock`: in ms, and never set back. */
export function createAvailability(
  tell: (trouble: unknown) => void,
  clock: () => number = () => performance.now(),
): Availability {
  let failedAt: number | null = null;
  return {
    failed(error) {
      const isNew = failedAt === null;
      failedAt = clock();
      if (isNew) tell(error);
    },
    worked() {
      if (failedAt === null || clock() - failedAt < QUIET) return;
      failedAt = null;
      tell(null);
    },
  };
}
