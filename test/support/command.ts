import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program without a shell, `input` on its standard input, and gives its standard output. Throws what it complains of. */
export async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const running = execute(program, args, { maxBuffer: 1 << 28 });
  // A program that reads nothing may be gone before this is written.
  running.child.stdin?.on('error', () => {}).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`${program} ${args.join(' ')}: ${said || String(error)}`, { cause: error });
  }
}

/** The same inside a network namespace. */
export function runIn(namespace: string, program: string, args: readonly string[], input = ''): Promise<string> {
  return run('nsenter', [`--net=/run/netns/${namespace}`, '--', program, ...args], input);
}

/** Applies an nft script in a network namespace, as some other program than ours would. */
export async function nft(namespace: string, script: string): Promise<void> {
  // Not on its standard input, a socket, which nft 1.0.9 refuses to read.
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-nft-'));
  const file = join(directory, 'script.nft');
  try {
    await writeFile(file, script);
    await runIn(namespace, 'nft', ['-f', file]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What `ip` has to do in one namespace, a line each; all in one process. */
export async function ip(namespace: string, ...lines: readonly string[]): Promise<void> {
  await run('ip', ['-netns', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}
