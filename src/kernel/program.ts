import { type ChildProcess, spawn } from 'node:child_process';
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

/** In ms: how long a program may take where its caller names no shorter time. */
export const LONGEST = 30_000;

/** Runs programs, and ends those that take too long, with everything that they have started. */
export interface Programs {
  /**
   * Runs a program, without a shell, in the network namespace of the descriptor, which is closed then. Its end is no error,
   * whatever its exit code. After `within` ms it and its process group are killed, and the result is there at once, whatever
   * still holds its output open. Error: `kernel_unsupported`, without nsenter.
   */
  run(fd: number, argv: readonly string[], input: string, within?: number): Promise<ProgramResult>;
  /** After so many ms no program runs any more, and none that is started later gets beyond that moment. */
  endWithin(ms: number): void;
}

export function createPrograms(): Programs {
  const running = new Set<() => void>();
  /** By `performance.now()`. */
  let end = Number.POSITIVE_INFINITY;

  return {
    async run(fd, argv, input, within = LONGEST) {
      const child = spawnIn(fd, argv);
      const output = collect(child, input);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(give, Math.max(Math.min(within, end - performance.now()), 0));
        running.add(give);
        child.once('error', (cause) => {
          forget();
          reject(hatobaError('kernel_unsupported', { reason: `nsenter cannot be run: ${cause.message}` }, { cause }));
        });
        child.once('close', (exitCode) => {
          forget();
          resolve({ exitCode, ...output });
        });

        /** Also a grandchild with a process group of its own may hold the pipes: nothing waits for it. */
        function give(): void {
          forget();
          killGroup(child);
          for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
          child.unref();
          resolve({ exitCode: null, ...output });
        }

        function forget(): void {
          clearTimeout(timer);
          running.delete(give);
        }
      });
    },

    endWithin(ms) {
      end = Math.min(end, performance.now() + ms);
      const timer = setTimeout(() => {
        for (const give of running) give();
      }, ms);
      timer.unref();
    },
  };
}

/** What it has printed so far, as it prints it. */
function collect(child: ChildProcess, input: string): { stdout: string; stderr: string } {
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
  return output;
}

function spawnIn(fd: number, argv: readonly string[]): ChildProcess {
  try {
    // The child has the descriptor as its third, so that no name is looked up that could lead elsewhere by now.
    return spawn('nsenter', ['--net=/proc/self/fd/3', '--', ...argv], {
      stdio: ['pipe', 'pipe', 'pipe', fd],
      // It leads a process group of its own, by which all that it starts is killed (setsid(2)).
      detached: true,
    });
  } finally {
    closeSync(fd);
  }
}

/** Nothing where it has ended by itself just now. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ESRCH') throw error;
  }
}
