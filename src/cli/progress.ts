import type { CliContext } from './context.ts';

const QUIET_MS = 1000;
const ERASE_LINE = '\r\u001b[K';

/** What the work gives, and how long it took; a person is told after a second what it is waiting for. */
export async function timed<Value>(
  context: CliContext,
  what: string,
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly elapsedMs: number }> {
  const { stderr } = context.process;
  let told = false;
  const timer = setTimeout(() => {
    if (stderr.isTTY !== true) return;
    told = true;
    stderr.write(`waiting for ${what} …`);
  }, QUIET_MS);
  const start = performance.now();
  try {
    const value = await work();
    return { value, elapsedMs: performance.now() - start };
  } finally {
    clearTimeout(timer);
    if (told) stderr.write(ERASE_LINE);
  }
}
