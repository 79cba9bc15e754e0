import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  copyFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { publish, report } from '../api/api-under-test.ts';
import { openCliBench } from './cli-under-test.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
const HATOBA = join(CHECKOUT, 'bin/hatoba');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatoba process '));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether to run it as the user and group that may do nothing. */
  readonly nobody?: boolean;
}

async function run(program: string, words: readonly string[], { env, nobody = false }: Options = {}) {
  const child = spawn(program, words, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(nobody ? { uid: 65_534, gid: 65_534 } : {}),
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, exit: child.exitCode };
}

/** A directory laid out as a checkout without packages, where `node` says it is of this version. */
async function checkoutWithNode(version: string): Promise<string> {
  await mkdir(join(directory, 'bin'));
  await copyFile(HATOBA, join(directory, 'bin/hatoba'));
  const node = join(directory, 'node');
  await writeFile(node, `#!/bin/sh\nif [ "$1" = --version ]; then echo "${version}"; else echo "$@"; fi\n`);
  await chmod(node, 0o755);
  return join(directory, 'bin/hatoba');
}

describe('the launcher', () => {
  test('finds its checkout behind links', async () => {
    await symlink(HATOBA, join(directory, 'one'));
    await symlink('one', join(directory, 'two'));
    const outcome = await run(join(directory, 'two'), ['--version']);
    expect(outcome).toEqual({ stdout: `${manifest.version}\n`, stderr: '', exit: 0 });
  });

  test.each(['v24.15.0', 'v24.100.0', 'v26.0.0'])('takes the Node of the path when it is %s', async (version) => {
    const launcher = await checkoutWithNode(version);
    const { stdout, exit } = await run(launcher, ['a b', '--c'], { env: { PATH: `${directory}:/usr/bin:/bin` } });
    expect(stdout).toBe(`--expose-gc --no-memory-reducer ${directory}/src/cli/main.ts a b --c\n`);
    expect(exit).toBe(0);
  });

  test.each(['v20.19.2', 'v24.14.9', 'v9.0.0', 'nonsense', ''])('says so when it is %s', async (version) => {
    const launcher = await checkoutWithNode(version);
    const { stdout, stderr, exit } = await run(launcher, ['status'], { env: { PATH: `${directory}:/usr/bin:/bin` } });
    expect(stderr).toBe(
      `hatoba: Node 24.15 or newer is needed, and there is ${version || 'none'}; 'npm install' in ${directory} brings one\n`,
    );
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 1 });
  });

  test('keeps compiled code in the checkout', async () => {
    await run(HATOBA, ['--version']);
    expect(await readdir(join(CHECKOUT, 'node_modules/.cache/hatoba'))).not.toEqual([]);
  });
});

describe('the process', () => {
  test('ends with the exit code, and errors on standard error', async () => {
    const { stdout, stderr, exit } = await run(HATOBA, ['status', '--socket', 'none']);
    expect(stdout).toBe('');
    expect(stderr).toContain(`no daemon answers at ${directory}/none: `);
    expect(exit).toBe(6);
    expect((await run(HATOBA, ['nonsense'])).exit).toBe(2);
  });

  test('can do without a place of its own', async () => {
    const gone = join(directory, 'gone');
    await mkdir(gone);
    const script = 'rmdir "$PWD" && "$1" --version && exec "$1" status --socket none';
    const child = spawn('sh', ['-c', script, 'sh', HATOBA], { cwd: gone, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    expect(stdout).toBe(`${manifest.version}\n`);
    expect(stderr).toMatch(/^hatoba: something went wrong inside hatoba: ENOENT: .*\n {2}hint: .*\n$/m);
    expect(child.exitCode).toBe(1);
  });

  test('is not permitted what its user is not', async (context) => {
    if (process.geteuid?.() !== 0) return context.skip('only root can run it as somebody else');
    await using bench = await openCliBench();
    for (const path of [directory, bench.directory]) await chmod(path, 0o755);
    const { stderr, exit } = await run(HATOBA, ['status', '--socket', bench.socket], { nobody: true });
    expect(stderr).toContain(`hatoba: not permitted: the socket ${bench.socket} may not be used\n`);
    expect(exit).toBe(5);
  });

  test('ends quietly when nobody reads on', async () => {
    await using bench = await openCliBench();
    await publish(bench.registry, report(0));
    for (let port = 1; port <= 200; port++) {
      await bench.run('forward', 'add', '--no-wait', String(port), '192.168.50.11');
    }
    const child = spawn(HATOBA, ['forward', 'list', '-o', 'json', '--socket', bench.socket]);
    child.stdout.once('data', () => child.stdout.destroy());
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect({ stderr, exit: child.exitCode }).toEqual({ stderr: '', exit: 0 });
  });

  test('reads standard input', async () => {
    await using bench = await openCliBench();
    const child = spawn(HATOBA, ['apply', '-f', '-', '--socket', bench.socket], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end('forwards:\n  - {router: r1, external_port: 80, internal_address: 10.0.0.5, enabled: false}\n');
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect(stdout).toMatch(/^\+ r1 gateway:80\/tcp -> 10\.0\.0\.5:80\n1 created, /);
    expect(child.exitCode).toBe(0);
  });

  test('says so when the output has no room', async () => {
    const full: FileHandle = await open('/dev/full', 'w');
    try {
      const child = spawn(HATOBA, ['--help'], { stdio: ['ignore', full.fd, 'pipe'] });
      if (child.stderr === null) throw new Error('there is no pipe');
      const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect(stderr).toMatch(/^hatoba: the output cannot be written: ENOSPC: .*\n {2}hint: .*\n$/);
      expect(child.exitCode).toBe(1);
    } finally {
      await full.close();
    }
  });
});
