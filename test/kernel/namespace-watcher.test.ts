import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { watchNamespaces } from '../../src/kernel/namespaces/namespace-watcher.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { startLinux } from './linux-under-test.ts';

let namespaces: Namespaces;

beforeAll(async () => {
  namespaces = await createNamespaces();
});

afterAll(async () => {
  await namespaces?.[Symbol.asyncDispose]();
});

test('a name that is no UTF-8, and too long once it is spelled as such, does no harm', async () => {
  const file = Buffer.concat([Buffer.from(`/run/netns/${namespaces.name('')}`), Buffer.alloc(100, 0xff)]);
  await namespaces.add(namespaces.name('first')); // So that the directory is there.
  await using linux = await startLinux(namespaces.name(''));
  try {
    writeFileSync(file, '');
    await expect.poll(() => linux.dataplane.alive()).toBeUndefined();
  } finally {
    rmSync(file, { force: true });
  }
  const router = namespaces.name('router');
  await namespaces.add(router);
  await expect.poll(() => linux.events.map(({ kind }) => kind)).toContain('appeared');
});

test('a router that came, went, came and went at once is told as gone in the end', async () => {
  await using linux = await startLinux(namespaces.name(''));
  const router = namespaces.name('router-in-haste');
  for (let round = 0; round < 20; round++) {
    await namespaces.add(router);
    await namespaces.remove(router);
  }
  const last = () =>
    linux.events.filter((event) => 'id' in event || ('instance' in event && event.instance.id === router)).at(-1);
  await linux.dataplane.alive();
  if (last() !== undefined) await expect.poll(() => last()).toEqual({ kind: 'vanished', id: router });
  await expect(linux.dataplane.synchronise(router, new Map())).rejects.toMatchObject({ code: 'namespace_gone' });
});

test.each([
  ['back', '1970-01-01'],
  ['ahead', '2100-01-01'],
])('a clock that is set %s changes nothing of when the directory is looked at again', (_, date) => {
  const ignore = () => {};
  const watcher = watchNamespaces('/run/netns', { watch: ignore, unwatch: ignore, emit: ignore });
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  try {
    watcher.scan();
    vi.setSystemTime(new Date(date));
    expect(watcher.dueIn()).toBeGreaterThan(0);
    expect(watcher.dueIn()).toBeLessThanOrEqual(1_000);
    expect(watcher.dueIn() % 1).toBe(0);
  } finally {
    vi.useRealTimers();
    watcher.close();
  }
});
