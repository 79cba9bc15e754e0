import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { knock } from '../../src/lab/knock.ts';
import { ROUTER_NAMESPACE, TOPOLOGY } from '../../src/lab/topology.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
const STATE = join(CHECKOUT, '.hatoba');
const SOCKET_DIRECTORY = '/run/hatoba';
const SOCKET = join(SOCKET_DIRECTORY, 'hatoba.sock');

const NAMES = TOPOLOGY.namespaces.map(({ name }) => name);

/** Only what a login shell has, and nothing that the test runner adds. */
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' };

beforeAll(() => {
  const traces = traceFiles();
  if (traces.length > 0) throw new Error(`${traces.join(', ')} is in use: run \`make down\` first`);
});

afterEach(() => {
  make('down');
});

function make(target: string): SpawnSyncReturns<string> {
  const args = ['--directory', CHECKOUT, '--no-print-directory', target];
  return spawnSync('make', args, { encoding: 'utf8', env: ENVIRONMENT });
}

function hatoba(...args: readonly string[]): string {
  return execFileSync(join(CHECKOUT, 'bin/hatoba'), args, { encoding: 'utf8', env: ENVIRONMENT });
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

function daemon(): number {
  return Number(readFileSync(join(STATE, 'daemon.pid'), 'utf8').split(' ')[0]);
}

function traceFiles(): readonly string[] {
  const namespaces = NAMES.map((name) => `/run/netns/${name}`);
  return [STATE, SOCKET_DIRECTORY, '/run/hatoba-lab', ...namespaces].filter((file) => existsSync(file));
}

/** What stderr says but for make's own line. */
function sentences(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('make: ***'));
}

describe('make up', () => {
  test('ends with a connection through a forward, the daemon running', async () => {
    const { status, stdout, stderr } = make('up');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('started the daemon');
    expect(stdout).toMatch(/forward example .* is active after/);
    expect(stdout).toContain('Hello from the instance; I see you as 192.168.1.5');
    expect(stdout).toContain('Try next');
    expect(existsSync(`/proc/${daemon()}/ns/net`)).toBe(true);
    expect(await knock('192.168.1.100', 5001)).toContain('Hello from the instance');
  });

  test('again, is the same, and doubles nothing', () => {
    make('up');
    const before = { daemon: daemon(), forwards: hatoba('forward', 'list', '-o', 'json') };
    const { status, stdout } = make('up');
    expect(status).toBe(0);
    expect(stdout).toContain('Hello from the instance');
    expect(stdout).not.toMatch(/started|made|linked|is active after/);
    expect({ daemon: daemon(), forwards: hatoba('forward', 'list', '-o', 'json') }).toEqual(before);
  });

  test('puts right what was taken away', () => {
    make('up');
    process.kill(daemon(), 'SIGKILL');
    ip('netns', 'delete', ROUTER_NAMESPACE);
    const { status, stdout } = make('up');
    expect(status).toBe(0);
    expect(stdout).toContain('started the daemon');
    expect(stdout).toContain(`made the namespace ${ROUTER_NAMESPACE}`);
    expect(stdout).toContain('Hello from the instance');
  });
});

describe('make down', () => {
  test('leaves no trace', () => {
    make('up');
    const pid = daemon();
    expect(traceFiles()).toHaveLength(6);
    const { status, stderr } = make('down');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(traceFiles()).toEqual([]);
    expect(existsSync(`/proc/${pid}/ns/net`)).toBe(false);
  });

  test('has nothing to do a second time', () => {
    expect(make('down')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('one sentence,', () => {
  test('without root', () => {
    // The checkout itself may lie where nobody else can read it.
    const directory = mkdtempSync(join(tmpdir(), 'hatoba-make-'));
    try {
      for (const part of ['Makefile', 'scripts'])
        cpSync(join(CHECKOUT, part), join(directory, part), { recursive: true });
      chmodSync(directory, 0o755);
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'make', '--directory', directory];
      for (const target of ['up', 'down', 'test']) {
        const run = spawnSync('setpriv', [...nobody, '--no-print-directory', target], {
          encoding: 'utf8',
          env: ENVIRONMENT,
        });
        expect(run.status).not.toBe(0);
        expect(sentences(run.stderr)).toEqual([expect.stringMatching(/^This needs root/)]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('where another daemon has the socket, which is left alone', async () => {
    mkdirSync(SOCKET_DIRECTORY);
    const other = createServer().listen(SOCKET);
    await once(other, 'listening');
    try {
      const { status, stderr } = make('up');
      expect(status).not.toBe(0);
      expect(sentences(stderr)).toEqual([expect.stringContaining('another daemon is already listening')]);
      make('down');
      expect(traceFiles()).toEqual([SOCKET_DIRECTORY]);
    } finally {
      await new Promise((resolve) => other.close(resolve));
      rmSync(SOCKET_DIRECTORY, { recursive: true });
    }
  });

  test('where a real router has the name', () => {
    ip('netns', 'add', ROUTER_NAMESPACE);
    ip('-netns', ROUTER_NAMESPACE, 'link', 'add', 'qg-00000000-00', 'type', 'veth');
    try {
      const { status, stderr } = make('up');
      expect(status).not.toBe(0);
      expect(sentences(stderr)).toEqual([expect.stringContaining('is another router')]);
    } finally {
      ip('netns', 'delete', ROUTER_NAMESPACE);
    }
  });

  test('where another forward has the port', () => {
    make('up');
    hatoba('forward', 'set', 'example', '--name', 'other');
    const { status, stderr } = make('up');
    expect(status).not.toBe(0);
    expect(sentences(stderr)).toEqual([expect.stringContaining('tcp port 5001')]);
  });
});
