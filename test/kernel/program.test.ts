import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readForeignRules } from '../../src/dataplane/linux/foreign-rules.ts';
import { nftFamily } from '../../src/interchange/rule-texts.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { NO_SUCH_PROGRAM } from '../../src/kernel/program.ts';
import { ip } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel } from './linux-under-test.ts';

let namespaces: Namespaces;
let router: string;
let kernel: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
  kernel = await openTestKernel({});
  await kernel.attach(router);
});

afterAll(async () => {
  await kernel.stop();
  await namespaces[Symbol.asyncDispose]();
});

test('a program runs in the namespace, and gives what it printed', async () => {
  await ip(router, 'link add hatoba-here type bridge');
  const result = await kernel.run(router, ['ip', '-brief', 'link', 'show', 'hatoba-here']);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(result.stdout).toMatch(/^hatoba-here/);
});

test('it reads what it is given, however much, or leaves it', async () => {
  const input = 'ü line\n'.repeat(200_000);
  expect((await kernel.run(router, ['cat'], input)).stdout === input).toBe(true);
  expect(await kernel.run(router, ['true'], input)).toMatchObject({ exitCode: 0 });
});

test('its words reach it as they are', async () => {
  const words = ['$(id)', '; true', '', '"', "'", '*', 'ü'];
  expect((await kernel.run(router, ['printf', '[%s]', ...words])).stdout).toBe(
    words.map((word) => `[${word}]`).join(''),
  );
});

test('a failure is a result', async () => {
  expect(await kernel.run(router, ['nft', 'nonsense'])).toMatchObject({ exitCode: 1, stdout: '' });
  expect(await kernel.run(router, ['hatoba-no-such-program'])).toMatchObject({ exitCode: NO_SUCH_PROGRAM });
});

test('nothing runs where nothing is attached, and no descriptor is left open', async () => {
  const before = readdirSync('/proc/self/fd').length;
  await expect(kernel.run('elsewhere', ['true'])).rejects.toMatchObject({ code: 'namespace_gone' });
  await Promise.all(Array.from({ length: 8 }, () => kernel.run(router, ['true'])));
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('words that no program can be given are refused, and no descriptor is left open', async () => {
  const before = readdirSync('/proc/self/fd').length;
  await expect(kernel.run(router, ['printf', 'a\0b'])).rejects.toThrow(/null byte/);
  await expect(kernel.run(router, ['printf', 'x'.repeat(200_000)])).rejects.toThrow('E2BIG');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

describe('a program that does not come to an end', () => {
  /** Starts a child that holds the output, and waits for it. */
  const HANGING = ['sh', '-c', 'sleep 100 & wait'];
  /** The same, in a session of its own. */
  const ESCAPED = ['sh', '-c', 'setsid sleep 100 & wait'];

  test.each([HANGING, ESCAPED])(
    'is not waited for, also where a child of it holds its output: %s %s %s',
    async (...argv) => {
      expect((await kernel.run(router, argv, '', 300)).exitCode).toBeNull();
    },
  );

  test('leaves no descriptor open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    await Promise.all(Array.from({ length: 5 }, () => kernel.run(router, HANGING, '', 100)));
    await expect.poll(() => readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('ends with all that it has started when all are to end, and none is started behind that', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hatoba-program-'));
    const file = join(directory, 'pid');
    const other = await openTestKernel({});
    await other.attach(router);
    const running = other.run(router, ['sh', '-c', `sleep 100 & echo "$!" > ${file}; wait`]);
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toMatch(/^\d+\n$/);
    other.endProgramsWithin(0);
    expect((await running).exitCode).toBeNull();
    await expect.poll(() => isAlive(readFileSync(file, 'utf8').trim())).toBe(false);
    expect((await other.run(router, HANGING)).exitCode).toBeNull();
    await other.stop();
    rmSync(directory, { recursive: true });
  });
});

/** A process that has ended may wait for its parent. */
function isAlive(pid: string): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}

test('rules of others are read within one time for all programs; what is not, is told', async () => {
  const slow = {
    othersTables: async () => ({
      nft: [
        { family: nftFamily(4), name: 'nat' },
        { family: nftFamily(6), name: 'nat' },
      ],
      legacy: { 4: [], 6: [] },
    }),
    run: (namespace: string, _argv: readonly string[], input = '', within?: number) =>
      kernel.run(namespace, ['sleep', '1000'], input, within),
  };
  const { dumps, nft, unread } = await readForeignRules(slow, router, { within: 200 });
  expect([dumps, nft]).toEqual([[], null]);
  expect(unread).toEqual(
    ['iptables-nft-save', 'ip6tables-nft-save', 'nft'].map((name) => `${name}: it could not be read in time`),
  );
});

test('it runs in the namespace that is attached, not in the one that has its name since', async () => {
  await namespaces.remove(router);
  await namespaces.add(router);
  const result = await kernel.run(router, ['ip', '-brief', 'link', 'show', 'hatoba-here']);
  expect(result.stdout).toMatch(/^hatoba-here/);
});
