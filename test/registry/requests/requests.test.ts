import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HatobaError } from '../../../src/model/errors.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { Forwards, KeyedRequest, Registry } from '../../../src/registry/registry.ts';
import { createRequestMirror } from '../../../src/registry/requests/request-mirror.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

const DAY = 24 * 3600 * 1000;
const FIRST: KeyedRequest = { caller: 'socket', key: 'k', fingerprint: 'f' };

let store: TemporaryStore;
let registry: Registry;
let forwards: Forwards;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
  forwards = registry.forwards;
});

afterEach(async () => {
  vi.useRealTimers();
  await registry.stop();
  await store.remove();
});

async function reopen(): Promise<void> {
  await registry.stop();
  registry = await openRegistry(store);
  forwards = registry.forwards;
}

function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: HatobaError) => error.code,
  );
}

const requestKeys = async () => (await store.read('requests/')).entries.map(({ key }) => key);

describe('a request with a key', () => {
  test('makes one forward, which is told to it again, also after a new start and as it was then', async () => {
    expect(await forwards.createdBy(FIRST)).toBeNull();
    const created = await forwards.create(spec({ name: 'ssh', labels: { a: 'b' } }), FIRST);
    expect(await forwards.createdBy(FIRST)).toEqual(created);
    expect(await codeOf(forwards.create(spec({ external_port: 5002 }), FIRST))).toBe('request_repeated');
    await forwards.update(created.id, (before) => ({ ...before, enabled: false }));
    await reopen();
    expect(await forwards.createdBy(FIRST)).toEqual(created);
    await forwards.remove(created.id);
    expect(await forwards.createdBy(FIRST)).toEqual(created);
    expect(forwards.list()).toEqual([]);
  });

  test('is in the same commit as its forward', async () => {
    const before = (await store.read('')).revision;
    const { revision } = await forwards.create(spec(), FIRST);
    expect(revision).toBe(before + 1);
    expect((await store.read('')).revision).toBe(revision);
    expect((await store.read('requests/')).entries).toMatchObject([{ revision }]);
  });

  test('that was refused leaves nothing behind', async () => {
    await forwards.create(spec());
    expect(await codeOf(forwards.create(spec(), FIRST))).toBe('forward_conflict');
    expect(await forwards.createdBy(FIRST)).toBeNull();
    await forwards.create(spec({ external_port: 5002 }), FIRST);
  });

  test('is another one with another wish, and nobody else has its key', async () => {
    await forwards.create(spec(), FIRST);
    expect(await codeOf(forwards.createdBy({ ...FIRST, fingerprint: 'g' }))).toBe('idempotency_key_reused');
    expect(await codeOf(forwards.create(spec(), { ...FIRST, fingerprint: 'g' }))).toBe('idempotency_key_reused');
    expect(await forwards.createdBy({ ...FIRST, caller: 'token ci', fingerprint: 'g' })).toBeNull();
    expect(await forwards.createdBy({ ...FIRST, caller: 'socket/k', key: '' })).toBeNull();
  });

  test('at the same time as itself makes one forward', async () => {
    const port = { external_port: 5003 };
    const outcomes = await Promise.all([
      codeOf(forwards.create(spec(), FIRST)),
      codeOf(forwards.create(spec(port), FIRST)),
    ]);
    expect(outcomes).toEqual(['done', 'request_repeated']);
    expect(forwards.list()).toHaveLength(1);
  });

  test('at the same time in another process, too', async () => {
    const other = await openRegistry(store);
    const outcomes = await Promise.all([
      codeOf(forwards.create(spec({ router: 'r1' }), FIRST)),
      codeOf(other.forwards.create(spec({ router: 'r2' }), FIRST)),
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['done', 'request_repeated']));
    expect((await store.read('forwards/')).entries).toHaveLength(1);
    await other.stop();
  });

  test('is forgotten after a day, and then a new one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const created = await forwards.create(spec(), FIRST);
    vi.setSystemTime(Date.now() + DAY - 1000);
    expect(await forwards.createdBy(FIRST)).toEqual(created);
    vi.setSystemTime(Date.now() + 2000);
    expect(await forwards.createdBy(FIRST)).toBeNull();
    const again = await forwards.create(spec({ external_port: 5002 }), { ...FIRST, fingerprint: 'g' });
    expect(await forwards.createdBy({ ...FIRST, fingerprint: 'g' })).toEqual(again);
    expect(await requestKeys()).toHaveLength(1);
    vi.setSystemTime(Date.now() + DAY + 1000);
    await forwards.create(spec({ external_port: 5003 }), { ...FIRST, key: 'l' });
    expect(await requestKeys()).toHaveLength(1);
  });

  test('for a batch tells what that did', async () => {
    const wanted = [spec(), spec({ external_port: 5002, name: 'x' })].map((each) => ({
      id: null,
      spec: each,
      times: null,
    }));
    const batch = { wanted, prunes: () => true, dryRun: false, kind: 'apply', intoEmpty: false } as const;
    const gone = await forwards.create(spec({ router: 'r2' }));
    const outcome = await forwards.apply(batch, FIRST);
    expect(outcome.changes.map(({ id }) => id)).toContain(gone.id);
    await reopen();
    const told = await forwards.appliedBy(FIRST);
    expect(outcome).toMatchObject({ ...told });
    expect(told?.changes).toHaveLength(3);
    expect(await codeOf(forwards.apply(batch, FIRST))).toBe('request_repeated');
  });
});

describe('what is remembered is bounded', () => {
  const at = new Date().toISOString();
  const record = (size: number) => JSON.stringify({ fingerprint: 'f', at, answer: {} }).padEnd(size);
  /** Each of a caller of its own. */
  const keyOf = (number: number) => `requests/${number}/k`;

  function mirrorOf(sizes: readonly number[], limits: { count: number; size: number }) {
    const mirror = createRequestMirror({ milliseconds: DAY, ...limits });
    const changes = sizes.map((size, index) => ({ key: keyOf(index), value: record(size), revision: index + 1 }));
    // A store gives its keys in their own order.
    mirror.apply(changes.toReversed(), sizes.length);
    return mirror;
  }

  test('by number, the oldest first', () => {
    const mirror = mirrorOf([100, 100, 100], { count: 2, size: 10_000 });
    expect(mirror.outdated(keyOf(9), 100)).toEqual([keyOf(0), keyOf(1)]);
    expect(mirror.outdated(keyOf(0), 100)).toEqual([keyOf(1)]);
  });

  test('by size, but the newest is kept', () => {
    const mirror = mirrorOf([400, 100, 100], { count: 10, size: 500 });
    expect(mirror.outdated(keyOf(9), 100)).toEqual([keyOf(0)]);
    expect(mirror.outdated(keyOf(9), 1000)).toEqual([keyOf(0), keyOf(1), keyOf(2)]);
  });

  test('by a tenth of both for each caller, so that nobody pushes out what is remembered of others', () => {
    const mirror = createRequestMirror({ milliseconds: DAY, count: 20, size: 10_000 });
    const keys = ['requests/a/1', 'requests/b/1', 'requests/a/2', 'requests/b/2'];
    mirror.apply(
      keys.map((key, index) => ({ key, value: record(300), revision: index + 1 })),
      4,
    );
    expect(mirror.outdated('requests/a/3', 100)).toEqual(['requests/a/1']);
    expect(mirror.outdated('requests/a/3', 900)).toEqual(['requests/a/1', 'requests/a/2']);
    expect(mirror.outdated('requests/c/1', 9_000)).toEqual(['requests/a/1']);
  });

  test('what was forgotten leaves room', () => {
    const mirror = mirrorOf([100, 100], { count: 2, size: 10_000 });
    mirror.apply([{ key: keyOf(0), value: null, revision: 3 }], 3);
    expect(mirror.outdated(keyOf(9), 100)).toEqual([]);
    expect([...mirror.known()]).toEqual([[keyOf(1), 2]]);
  });
});
