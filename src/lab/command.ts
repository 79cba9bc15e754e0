import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { hatobaError, reasonOf } from '../model/errors.ts';

const execute = promisify(execFile);

/** Runs a program without a shell and gives its standard output. Error: `command_failed`. */
export function run(program: string, ...args: readonly string[]): Promise<string> {
  return attempt([basename(program), ...args].join(' '), program, ...args);
}

/** The same; `what` is what the error says has failed. */
export async function attempt(what: string, program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, args);
    return stdout;
  } catch (error) {
    throw hatobaError('command_failed', { command: what, reason: explain(error) }, { cause: error });
  }
}

/** What the program itself said first, else why it could not be run. */
function explain(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const [first = ''] = said.split('\n');
  return first === '' ? reasonOf(error) : first;
}
