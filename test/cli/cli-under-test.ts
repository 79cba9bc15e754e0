import { join } from 'node:path';
import { listenOnSocket } from '../../src/api/listen/socket.ts';
import { runCli } from '../../src/cli/run.ts';
import type { ExitCode } from '../../src/model/error-catalogue.ts';
import { type Bench, type BenchOptions, openBench } from '../api/api-under-test.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: ExitCode;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether a person sits before both streams. */
  readonly terminal?: boolean;
  /** What comes in on standard input. */
  readonly stdin?: string;
  /** What a person answers who is asked. */
  readonly answer?: string;
}

/** Runs one command line as the process would, in this one. */
export async function runWords(words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
  const { env = {}, cwd = '/', terminal = false, stdin, answer } = surroundings;
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY: terminal,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exit = await runCli(words, {
    process: { stdout: stream('stdout'), stderr: stream('stderr') },
    env,
    ...(stdin === undefined ? {} : { readStdin: () => Promise.resolve(stdin) }),
    ...(answer === undefined
      ? {}
      : {
          ask: async (question: string) => {
            written.stderr += question;
            return answer;
          },
        }),
    cwd: () => cwd,
  });
  return { ...written, exit };
}

export interface CliBench extends Bench {
  readonly socket: string;
  /** Runs one command line against this bench's daemon. */
  run(...words: readonly string[]): Promise<Outcome>;
  runOnTerminal(...words: readonly string[]): Promise<Outcome>;
  /** With a text on standard input. */
  feed(stdin: string, ...words: readonly string[]): Promise<Outcome>;
  /** With a person who answers so. */
  answer(answer: string, ...words: readonly string[]): Promise<Outcome>;
}

/** The real API, on a socket. */
export async function openCliBench(options: BenchOptions = {}): Promise<CliBench> {
  const bench = await openBench(options);
  const socket = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, socket);
  const env = { HATOBA_SOCKET: socket };
  return {
    ...bench,
    socket,
    run: (...words) => runWords(words, { env }),
    feed: (stdin, ...words) => runWords(words, { env, stdin }),
    answer: (answer, ...words) => runWords(words, { env, answer }),
    runOnTerminal: (...words) => runWords(words, { env, terminal: true }),
  };
}

/** The text with ids and measured times replaced, for comparison. */
export function masked(text: string): string {
  return text
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '<id>')
    .replaceAll(/\([\da-f]{8}…\)/g, '(<id>…)')
    .replaceAll(/after [\d.]+ m?s/g, 'after <time>');
}
