import { EXIT } from '../model/error-catalogue.ts';
import { hatobaError } from '../model/errors.ts';
import { describeError } from './errors.ts';
import { runCli } from './run.ts';

/** A reader that has seen enough (`hatoba forward list | head -1`) is no failure. */
function onBrokenOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  const described = describeError(hatobaError('output_failed', { reason: error.message }, { cause: error }), false);
  process.stderr.write(`${described}\n`);
  process.exit(EXIT.failed);
}

/** On stderr, so that what is asked is not part of the output. */
async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  using lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  // Awaited here: at the end of this function the interface is closed.
  return await Promise.race([lines.question(question), closed]);
}

process.stdout.on('error', onBrokenOutput);
const { stdout, stderr, env } = process;
try {
  process.exitCode = await runCli(process.argv.slice(2), {
    process: { stdout, stderr },
    env,
    readStdin: async () => (await import('node:stream/consumers')).buffer(process.stdin),
    ...(stdout.isTTY === true && {
      openScreen: async () => (await import('./screen.ts')).openScreen(process.stdin, process.stdout),
    }),
    ...(process.stdin.isTTY && stderr.isTTY ? { ask } : {}),
    cwd: () => process.cwd(),
  });
} catch (error) {
  stderr.write(`${describeError(error, env['HATOBA_DEBUG'] === '1')}\n`);
  process.exitCode = EXIT.failed;
}
// Who has left `top` waits for no answer that it had asked for. What is written to a terminal is there at once.
if (stdout.isTTY === true) process.exit();
