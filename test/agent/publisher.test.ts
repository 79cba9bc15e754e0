import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPublisher, type Publisher } from '../../src/agent/publisher.ts';
import type { RouterStatus } from '../../src/model/status.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import type { Registry, Statuses } from '../../src/registry/registry.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';

let directory: string;
let close: () => Promise<void>;
let registry: Registry;
let current: Map<string, RouterStatus>;
let commits: number;
let busy: boolean;
let obstacle: Error | null;
let errors: unknown[];
let publisher: Publisher;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-publisher-'));
  const store = openSqliteStore(join(directory, 'hatoba.db'));
  registry = await openRegistry(store);
  close = async () => {
    await registry.stop();
    await store.close();
  };
  [current, commits, busy, obstacle, errors] = [new Map(), 0, false, null, []];
  publisher = createPublisher({
    statuses: counted(registry.statuses),
    node: 'n1',
    statusOf: (router) => current.get(router),
    busy: () => busy,
    onError: (error) => errors.push(error),
  });
});

afterEach(async () => {
  await publisher.stop();
  await close();
  rmSync(directory, { recursive: true });
});

/** The same, whose commits are counted, and fail while there is an obstacle. */
function counted(statuses: Statuses): Statuses {
  return {
    ...statuses,
    async publish(...args) {
      commits++;
      if (obstacle !== null) throw obstacle;
      await statuses.publish(...args);
    },
  };
}

function change(router: string, revision: number): void {
  current.set(router, {
    router,
    node: 'n1',
    instances: [`qrouter-${router}`],
    gateways: {},
    revision,
    at: '2026-01-01T00:00:00.000Z',
    problems: {},
    error: null,
  });
  publisher.touch(router);
}

function published(): ReadonlyMap<string, number> {
  return new Map(registry.statuses.ofNode('n1').map(({ router, revision }) => [router, revision]));
}

test('a change of one router is written at once', async () => {
  change('a', 1);
  expect(commits).toBe(1);
  await expect.poll(published).toEqual(new Map([['a', 1]]));
});

test('changes of many are written together, each as it is at the end', async () => {
  busy = true;
  for (let revision = 1; revision <= 3; revision++) for (const router of ['a', 'b', 'c']) change(router, revision);
  expect(commits).toBe(0);
  await publisher.flush();
  await expect.poll(published).toEqual(
    new Map([
      ['a', 3],
      ['b', 3],
      ['c', 3],
    ]),
  );
  expect(commits).toBe(1);
});

test('what changes while it is being written is written again', async () => {
  change('a', 1);
  change('a', 2);
  await expect.poll(published).toEqual(new Map([['a', 2]]));
});

test('a router that this node has no more is withdrawn', async () => {
  change('a', 1);
  await publisher.flush();
  current.delete('a');
  publisher.touch('a');
  await expect.poll(published).toEqual(new Map());
});

test('what could not be written is told, and written with the next change or at the end', async () => {
  obstacle = new Error('the store is away');
  change('a', 1);
  await expect.poll(() => errors).toEqual([obstacle]);
  expect(published()).toEqual(new Map());
  obstacle = null;
  await publisher.stop();
  await expect.poll(published).toEqual(new Map([['a', 1]]));
});
