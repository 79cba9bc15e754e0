import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Client, createClient } from '../../src/cli/client.ts';
import type { ConfigFile } from '../../src/daemon/config-schema.ts';

/** A place where one daemon after the other runs: configuration, socket and database. Disposing ends what still runs. */
export interface DaemonHome extends AsyncDisposable {
  readonly directory: string;
  readonly socket: string;
  /** Speaks to whatever daemon runs at present. */
  readonly client: Client;
  /** Starts a daemon, and does not wait for it. */
  launch(...flags: readonly string[]): Daemon;
  /** Starts a daemon, and waits until it has put everything in order. */
  start(...flags: readonly string[]): Promise<Daemon>;
  /** Runs any other command to its end; `CONFIG` in its words stands for this place's file. */
  run(...words: readonly string[]): Promise<Ending>;
}

/** One process. Disposing kills it, where it still runs. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** How it ended, once it has. */
  readonly ended: Promise<Ending>;
  /** Resolves when it says that it is ready; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when its log has such a line, and gives that line. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** By SIGTERM. */
  stop(): Promise<Ending>;
  /** By SIGKILL. */
  kill(): Promise<void>;
}

export interface Ending {
  /** `null`: it was killed. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** As pino writes them: `msg`, `level` (40: warning, 50: error), and details. */
export type LogLine = Readonly<Record<string, unknown>>;

export const CONFIG = '{config}';
const PROGRAM = join(import.meta.dirname, '../../bin/hatoba');

/** `within`: a command line that runs the one behind it somewhere else. */
export async function openDaemonHome(
  settings: ConfigFile,
  { within = [] }: { readonly within?: readonly string[] } = {},
): Promise<DaemonHome> {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-e2e-'));
  const [config, socket] = [join(directory, 'hatoba.yaml'), join(directory, 'hatoba.sock')];
  const defaults: ConfigFile = { node: 'n1', store: `sqlite:${join(directory, 'hatoba.db')}`, socket };
  await writeFile(config, JSON.stringify({ ...defaults, ...settings }));
  const running = new Set<Daemon>();

  function launch(...flags: readonly string[]): Daemon {
    const daemon = watchDaemon(spawnProgram(within, ['serve', '--config', config, ...flags]));
    running.add(daemon);
    void daemon.ended.finally(() => running.delete(daemon));
    return daemon;
  }

  return {
    directory,
    socket,
    client: clientOf(socket),
    launch,
    async start(...flags) {
      const daemon = launch(...flags);
      await daemon.ready;
      return daemon;
    },
    run: (...words) =>
      collect(
        spawnProgram(
          within,
          words.map((word) => (word === CONFIG ? config : word)),
        ),
      ).ended,
    async [Symbol.asyncDispose]() {
      for (const daemon of running) await daemon.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function spawnProgram(within: readonly string[], words: readonly string[]): Child {
  const [program = PROGRAM, ...args] = [...within, PROGRAM, ...words];
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function watchDaemon(child: Child): Daemon {
  const log: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  const { ended, pid } = collect(child, (text) => {
    const line = parseLine(text);
    log.push(line);
    for (const listen of listeners) listen(line);
  });

  async function logged(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const { promise, resolve } = Promise.withResolvers<LogLine>();
    const listen = (line: LogLine) => {
      if (matches(line)) resolve(line);
    };
    for (const line of log) listen(line);
    listeners.add(listen);
    try {
      return await Promise.race([promise, ended.then(failEarly)]);
    } finally {
      listeners.delete(listen);
    }
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await ended;
  }

  const ready = logged(({ msg }) => msg === 'ready').then(() => undefined);
  // Not everybody who starts a daemon waits for it.
  ready.catch(() => undefined);
  return {
    pid,
    log,
    ended,
    ready,
    logged,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function failEarly({ exit, stdout, stderr }: Ending): never {
  throw new Error(`the daemon has ended (${exit}): ${stderr}${stdout}`);
}

function collect(
  child: Child,
  onLine: (text: string) => void = () => undefined,
): { readonly pid: number; readonly ended: Promise<Ending> } {
  const said = { stdout: '', stderr: '' };
  createInterface(child.stdout).on('line', (line) => {
    said.stdout += `${line}\n`;
    onLine(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const ended = once(child, 'close').then(() => ({ exit: child.exitCode, ...said }));
  return { pid: child.pid ?? 0, ended };
}

function parseLine(text: string): LogLine {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error(`no line of a log: ${text}`);
  return { ...value };
}

function clientOf(socket: string): Client {
  const silent = { write: () => undefined };
  return createClient({ process: { stdout: silent, stderr: silent }, env: {}, cwd: () => '/' }, { socket });
}
