import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publish, ROUTER, report } from '../api/api-under-test.ts';
import { type CliBench, openCliBench, runWords } from './cli-under-test.ts';

const BIN = join(import.meta.dirname, '../../bin');
const run = promisify(execFile);

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
  await publish(bench.registry, report(0), report(0, { router: 'a:b@c', instances: ['a:b@c'] }));
  for (const [port, ...name] of [['5001', '--name', 'web'], ['5002', '--name', 'wiki'], ['5003']]) {
    await bench.run('forward', 'add', '--no-wait', '--router', ROUTER, ...name, port ?? '', '192.168.50.11');
  }
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

/** The candidates for the last word, without what is said of them. */
async function candidates(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr, exit } = await bench.run('__complete', ...words);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0] ?? '');
}

describe('proposed are', () => {
  test('commands, and what they do', async () => {
    expect(await candidates('')).toEqual([
      'forward',
      'apply',
      'export',
      'import',
      'adopt',
      'recover',
      'backup',
      'restore',
      'router',
      'token',
      'node',
      'status',
      'top',
      'doctor',
      'trace',
      'serve',
      'cleanup',
      'lab',
      'completion',
    ]);
    expect(await candidates('forward', 's')).toEqual(['show', 'set']);
    expect((await bench.run('__complete', 'forward', 'show')).stdout).toBe(
      'show\tShow a forward and how it stands on each node\n',
    );
  });

  test('flags, and their values', async () => {
    expect(await candidates('forward', 'list', '--')).toEqual([
      '--output',
      '--router',
      '--state',
      '--project',
      '--name',
      '--protocol',
      '--internal',
      '--label',
      '--sort',
      '--reverse',
      '--socket',
      '--url',
    ]);
    expect(await candidates('forward', 'list', '--state', 'wa')).toEqual(['waiting']);
    expect(await candidates('forward', 'list', '--state=wa')).toEqual(['--state=waiting']);
    expect(await candidates('forward', 'list', '-o', '')).toEqual(['table', 'wide', 'json', 'yaml', 'csv']);
    expect(await candidates('forward', 'add', '--protocol', 'ud')).toEqual(['udp', 'udplite']);
    expect(await candidates('forward', 'add', '--name', '')).toEqual([]);
  });

  test('forwards by name, by id where they have none or an id is begun', async () => {
    const [web, , nameless] = bench.registry.forwards.list().map(({ id }) => id);
    expect(await candidates('forward', 'show', '')).toEqual(['web', 'wiki', nameless]);
    expect(await candidates('forward', 'remove', 'web', 'w')).toEqual(['web', 'wiki']);
    expect(await candidates('forward', 'show', web?.slice(0, 12) ?? '')).toEqual([web]);
  });

  test('routers', async () => {
    expect(await candidates('router', 'show', '')).toEqual([ROUTER, 'a:b@c']);
    expect(await candidates('forward', 'add', '--router', ROUTER.slice(0, 4))).toEqual([ROUTER]);
    expect(await candidates('forward', 'list', '--router=a:')).toEqual(['--router=a:b@c']);
  });

  test('of the daemon that the line names', async () => {
    const ask = async (...words: string[]) => (await runWords(['__complete', ...words])).stdout;
    expect(await ask('forward', 'show', '--socket', bench.socket, 'web')).toBe('web\n');
    expect(await ask('forward', 'show', `--socket=${bench.socket}`, 'web')).toBe('web\n');
    expect(await ask('--socket', bench.socket, 'forward', 'show', 'web')).toBe('web\n');
  });

  test('nothing without a daemon, and without a word of complaint', async () => {
    expect(await runWords(['__complete', 'forward', 'show', 'w'], { env: { HATOBA_SOCKET: '/none' } })).toEqual({
      stdout: '',
      stderr: '',
      exit: 0,
    });
  });

  test('nothing for nonsense', async () => {
    expect(await candidates('nonsense', '')).toEqual([]);
    expect(await candidates('forward', 'list', '--nonsense', '')).toEqual([]);
    expect(await candidates()).toEqual([]);
  });
});

/** What bash inserts for a line that ends where Tab is pressed: readline's splitting is done as it does it. */
async function inBash(words: readonly string[]): Promise<readonly string[]> {
  const script = `
    source <(hatoba completion bash)
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    complete -p hatoba >/dev/null && _hatoba hatoba
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}`, HATOBA_SOCKET: bench.socket };
  const { stdout, stderr } = await run('bash', ['-c', script, 'bash', ...words], { env });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test.each([
    [['hatoba', 'forw'], ['forward']],
    [
      ['hatoba', 'forward', 'show', 'w'],
      ['web', 'wiki'],
    ],
    [['hatoba', 'forward', 'list', '--state', '=', 'wa'], ['waiting']],
    [
      ['hatoba', 'forward', 'list', '--state', '='],
      ['active', 'pending', 'waiting', 'disabled', 'expired', 'error'],
    ],
    [['hatoba', 'router', 'show', 'a', ':', 'b'], ['b@c']],
    [['hatoba', 'forward', 'add', '[2001', ':', 'db8', '::', '1]', ':', '80', '--proto'], ['--protocol']],
    [['hatoba', 'forward', 'set', '--description', 'two words', 'we'], ['web']],
  ])('%j', async (words, expected) => {
    expect(await inBash(words)).toEqual(expected);
  });
});

test.each(['bash', 'zsh', 'fish'])('the %s script asks the program itself', async (shell) => {
  const { stdout, exit } = await runWords(['completion', shell]);
  expect(stdout).toContain(`# ${shell} completion for hatoba\n`);
  expect(stdout).toContain('__complete');
  expect(exit).toBe(0);
});

describe.each([
  ['bash', '-n'],
  ['zsh', '-n'],
  ['fish', '--no-execute'],
])('%s', (shell, flag) => {
  test('can read its script', async (context) => {
    const file = join(dirname(BIN), `src/cli/completion/hatoba.${shell}`);
    try {
      expect(await run(shell, [flag, file])).toEqual({ stdout: '', stderr: '' });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      context.skip(`${shell} is not installed`);
    }
  });
});
