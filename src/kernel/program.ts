import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { hatobaError } from '../model/errors.ts';

/** What a program left behind that was run in a network namespace. */
export interface ProgramResult {
  /** 127: there is no such program (util-linux, nsenter(1)); `null`: it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For programs that can be missing, as a shell says it. */
export const NO_SUCH_PROGRAM = 127;

/** In ms; what hangs longer is killed, so that nothing waits for it for ever. */
const LONGEST = 30_000;

/**
 * Runs a program, without a shell, in the network namespace of the descriptor, which is closed then. Its end is no error,
 * whatever its exit code. Error: `kernel_unsupported`, without nsenter.
 */
export async function runProgram(fd: number, argv: readonly string[], input: string): Promise<ProgramResult> {
  const child = spawnIn(fd, argv);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  // A program that ends without reading what it was given tells why by its exit code.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(hatobaError('kernel_unsupported', { reason: `nsenter cannot be run: ${cause.message}` }, { cause }));
    });
    child.once('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

function spawnIn(fd: number, argv: readonly string[]) {
  try {
    // The child has the descriptor as its third, so that no name is looked up that could lead elsewhere by now.
    return spawn('nsenter', ['--net=/proc/self/fd/3', '--', ...argv], {
      stdio: ['pipe', 'pipe', 'pipe', fd],
      timeout: LONGEST,
      killSignal: 'SIGKILL',
    });
  } finally {
    closeSync(fd);
  }
}
