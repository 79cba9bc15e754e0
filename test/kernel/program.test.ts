import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('it runs in the namespace that is attached, not in the one that has its name since', async () => {
  await namespaces.remove(router);
  await namespaces.add(router);
  const result = await kernel.run(router, ['ip', '-brief', 'link', 'show', 'hatoba-here']);
  expect(result.stdout).toMatch(/^hatoba-here/);
});
