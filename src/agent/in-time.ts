/** In ms: what an answer may wait for programs of others. */
const PATIENCE = 900;

/** Whether the work ends within the time that an answer can wait for it; it goes on in any case. Errors: those of the work, in time. */
export async function isInTime(work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, PATIENCE, false);
  // What it ends with later concerns nothing that waits.
  work.catch(() => undefined);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
