import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { run } from '../src/lab/command.ts';
import { HatobaError } from '../src/model/errors.ts';

/** Where `make up` keeps what `make down` removes. */
export const STATE_DIRECTORY = inCheckout('.hatoba');

/** Where a daemon listens by default, so that `bin/hatoba` finds it without being told. */
export const SOCKET = '/run/hatoba/hatoba.sock';

export const HATOBA = inCheckout('bin/hatoba');

/** Runs a command of hatoba's, and gives what it prints. Error: `command_failed`. */
export function hatoba(...args: readonly string[]): Promise<string> {
  return run(HATOBA, ...args);
}

/** Tells of one thing that is done. */
export function report(line: string): void {
  process.stdout.write(`${styleText('green', '✓')} ${line}\n`);
}

/** Runs `main`; an error for the user becomes one sentence and its exit code. */
export async function present(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof HatobaError)) throw error;
    process.stderr.write(`${styleText('red', '✗')} ${error.message}. ${error.hint}\n`);
    process.exitCode = error.exit;
  }
}

function inCheckout(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
