import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ConfigFile } from '../../src/daemon/config-schema.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { PREFIX } from './namespaces.ts';

/** A directory of its own for the daemon's configuration, database and socket. */
export interface Home {
  readonly directory: string;
  readonly socket: string;
  readonly database: string;
  remove(): void;
}

/** `settings`: of the configuration, beside what makes it the benchmarks' own. */
export function createHome(settings: ConfigFile = {}): Home {
  const directory = mkdtempSync(join(tmpdir(), 'hatoba-bench-'));
  const patterns = [{ namespace: `${PREFIX}*`, outside: ['qg-'], inside: ['qr-'] }];
  writeFileSync(join(directory, 'hatoba.yaml'), JSON.stringify({ neutron: false, routers: patterns, ...settings }));
  return {
    directory,
    socket: join(directory, 'hatoba.sock'),
    database: join(directory, 'hatoba.db'),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

export async function withStore(home: Home, work: (store: Store) => Promise<void>): Promise<void> {
  const store = openSqliteStore(home.database);
  await work(store);
  await store.close();
}

export interface Daemon {
  readonly pid: number;
  /** Milliseconds from the start of the process until every forward that can be is in the kernel. */
  readonly activeAfter: number;
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

const LAUNCHER = new URL('../../bin/hatoba', import.meta.url).pathname;

/** `environment`: beside that of this process. */
export async function startDaemon(home: Home, environment: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  const started = performance.now();
  const options = ['--config', join(home.directory, 'hatoba.yaml'), '--socket', home.socket];
  const child = spawn(LAUNCHER, ['serve', ...options, '--store', `sqlite:${home.database}`], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = followLog(child);
  await lines('every router that is there is as wanted');
  const activeAfter = performance.now() - started;
  await lines('ready');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    pid: child.pid ?? 0,
    activeAfter,
    call: (method, path, body) => call(agent, home.socket, method, path, body),
    async stop() {
      agent.destroy();
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Waits for a message in the daemon's log. */
function followLog(child: ChildProcess): (message: string) => Promise<void> {
  const seen = new EventEmitter();
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => seen.emit(messageOf(line)));
  return (message) =>
    new Promise((resolve, reject) => {
      seen.once(message, resolve);
      child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)));
    });
}

function messageOf(line: string): string {
  const entry: unknown = JSON.parse(line);
  return typeof entry === 'object' && entry !== null && 'msg' in entry ? String(entry.msg) : '';
}

function call(agent: Agent, socketPath: string, method: string, path: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ agent, socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) >= 400) reject(new Error(text));
        else resolve(text === '' ? null : JSON.parse(text));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What its open file descriptors lead to; those that are closed meanwhile are left out. */
export function descriptors(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return [readlinkSync(join(directory, fd))];
    } catch {
      return [];
    }
  });
}

/** Resident memory in MiB. */
export function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** What all threads of the process have worked so far, in milliseconds: /proc/PID/stat counts ticks of ten. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
