import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { runWords } from './cli-under-test.ts';

const HINT = '  hint: Run the command with --help to see its form and examples.\n';

test.each([
  [['nonsense'], 'there is no command nonsense'],
  [['forwad'], 'there is no command forwad; did you mean forward?'],
  [['forward', 'ad'], 'there is no command ad; did you mean add?'],
  [['forward', 'constructor'], 'there is no command constructor'],
  [['forward', 'list', '--sokcet', 'x'], 'there is no flag --sokcet; did you mean --socket?'],
  [['forward', 'add', '--nowait', '1', '2'], 'there is no flag --nowait; did you mean --no-wait?'],
  [['forward', 'list', '-x'], 'there is no flag -x'],
  [['forward', 'list', '-o', 'xml'], '--output: xml is not one of table, wide, json, yaml, csv'],
  [['forward', 'list', '-o'], '--output needs a value'],
  [['forward', 'list', '--router', '--state', 'active'], '--router needs a value'],
  [['forward', 'list', '--router', 'a', '--router', 'b'], '--router is given more than once'],
  [['forward', 'list', 'x'], 'there is an argument too many: x'],
  [['forward', 'add', '80'], 'the argument internal is missing'],
  [['forward', 'show', ''], 'argument forward: "": it is empty'],
  [['forward', 'show', '--', '-x'], 'argument forward: -x: there is no such flag'],
  [['forward', 'show', '\u001b[2J', 'x'], 'there is an argument too many: x'],
  [['forward', 'list', '\u001b[2J'], 'there is an argument too many: \\u001b[2J'],
  [['forward', 'remove', '--no-no-wait', 'x'], 'there is no flag --no-no-wait; did you mean --no-wait?'],
])('%j', async (words, message) => {
  expect(await runWords(words)).toEqual({ stdout: '', stderr: `hatoba: ${message}\n${HINT}`, exit: 2 });
});

test('several faults are told at once, the hint once', async () => {
  const { stderr, exit } = await runWords(['forward', 'list', '--state', 'x', '-o', 'y']);
  expect(stderr.match(/^hatoba: --/gm)).toHaveLength(2);
  expect(stderr.split(HINT)).toHaveLength(2);
  expect(exit).toBe(2);
});

describe('flags of all objects are no flags of ours', () => {
  test.each([
    '--constructor',
    '--toString',
    '--hasOwnProperty',
    '--value-of',
    '--no-constructor',
    '--noToString',
    '--constructor=x',
    '--__proto__',
  ])('%s', async (flag) => {
    const { stdout, exit } = await runWords(['status', flag, 'x', '--socket', '/nonexistent']);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
  });
});

describe('the socket', () => {
  test.each([
    [['--socket', '/s1', 'status'], {}, '/s1'],
    [['--socket=/s1', 'status'], {}, '/s1'],
    [['status', '--socket', '/s1'], {}, '/s1'],
    [['--socket', '/s1', 'status', '--socket', '/s2'], {}, '/s2'],
    [['status'], { HATOBA_SOCKET: '/s1' }, '/s1'],
    [['status', '--socket', '/s2'], { HATOBA_SOCKET: '/s1' }, '/s2'],
    [['status', '--socket', 's2'], { HATOBA_SOCKET: '/s1' }, '/cwd/s2'],
    [['status'], { HATOBA_SOCKET: '' }, '/run/hatoba/hatoba.sock'],
  ])('%j %j', async (words, env, socket) => {
    const { stderr } = await runWords(words, { env, cwd: '/cwd' });
    if (socket === '/run/hatoba/hatoba.sock' && stderr === '') return;
    expect(stderr).toContain(`no daemon answers at ${socket}: `);
  });
});

test('the version', async () => {
  for (const flag of ['--version', '-v']) {
    expect(await runWords([flag])).toEqual({ stdout: `${manifest.version}\n`, stderr: '', exit: 0 });
  }
});

test('no stack, unless it is asked for', async () => {
  const words = ['status', '--socket', '/nonexistent'];
  expect((await runWords(words)).stderr).not.toMatch(/^ +at /m);
  expect((await runWords(words, { env: { HATOBA_DEBUG: '1' } })).stderr).toMatch(/^ +at /m);
});
