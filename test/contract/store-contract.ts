import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, Commit, Store } from '../../src/store/store.ts';
import { commitUntilKilled } from './committing-process.ts';
import { createHistory } from './watched-history.ts';

/** Somewhere a store can be, empty at first. */
export interface StorePlace {
  /** For `openStoreAt`, also in another process. */
  readonly address: string;
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** Commits some of which overtake others; the last one touches a key under `w/`. */
const OVERTAKEN: readonly { readonly name: string; readonly commits: readonly Commit[] }[] = [
  { name: 'put again', commits: [puts('w/a'), puts('w/a'), puts('w/a')] },
  { name: 'put, then deleted', commits: [puts('w/a'), deletes('w/a')] },
  { name: 'deleted, then put again', commits: [puts('w/a'), deletes('w/a'), puts('w/a')] },
  { name: 'deleted twice', commits: [puts('w/a'), deletes('w/a'), puts('w/a'), deletes('w/a')] },
  {
    name: 'one of several keys of a commit',
    commits: [puts('w/a', 'w/b', 'c'), { ...puts('w/c'), ...deletes('w/b') }, puts('w/b'), puts('w/d')],
  },
  {
    name: 'all keys of a commit, by one that deletes some',
    commits: [puts('w/a'), puts('w/a', 'w/b'), { ...puts('w/a'), ...deletes('w/b') }, puts('c'), puts('w/d')],
  },
  {
    name: 'something that moves from key to key',
    commits: [puts('w/a'), { ...puts('w/b'), ...deletes('w/a') }, { ...puts('w/c'), ...deletes('w/b') }],
  },
];

/** A commit, how many turns of the event loop come after it, and a watch that then begins `back` revisions ago. */
const anyStep = fc.record({
  commit: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'w/a', 'w/b', 'w/c'), fc.constantFrom('0', '1', null)), {
      selector: ([key]) => key,
      maxLength: 3,
    })
    .map((changes) => ({
      puts: changes.flatMap(([key, value]) => (value === null ? [] : [{ key, value }])),
      deletes: changes.flatMap(([key, value]) => (value === null ? [key] : [])),
    })),
  turns: fc.nat(2),
  begin: fc.record({ prefix: fc.constantFrom('', 'w/'), back: fc.nat(20), pause: fc.nat(3) }),
});

/** What every implementation of the store port has to do. */
export function storeContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    let place: StorePlace;
    let store: Store;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    describe('read', () => {
      test('finds an empty store at revision 0', async () => {
        expect(await store.read('')).toEqual({ revision: 0, entries: [] });
      });

      test('gives keys in order, each with the revision that last put it', async () => {
        await put('b', '1');
        await put('a', '2');
        await put('b', '3');
        expect(await store.read('')).toEqual({
          revision: 3,
          entries: [
            { key: 'a', value: '2', revision: 2 },
            { key: 'b', value: '3', revision: 3 },
          ],
        });
      });

      test('finds what need not be durable, in order with what must, also after the store was closed', async () => {
        await store.commit({ puts: [{ key: 'a', value: '1' }], durable: false });
        await put('b', '2');
        await store.commit({ puts: [{ key: 'c', value: '3' }], durable: false });
        await store.close();
        store = await place.open();
        const { revision, entries } = await store.read('');
        expect(revision).toBe(3);
        expect(entries.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      });

      test('keeps to the prefix', async () => {
        const keys = [
          'n/',
          'n/1',
          'n/10',
          'n/2',
          'n',
          'n0',
          'n.',
          'na/1',
          'N/1',
          'n%1',
          'n_1',
          'n/é',
          'n/\u{1f6a2}',
          'o',
        ];
        await store.commit({ puts: keys.map((key) => ({ key, value: '0' })) });
        expect(await keysUnder('n/')).toEqual(['n/', 'n/1', 'n/10', 'n/2', 'n/é', 'n/\u{1f6a2}']);
        expect(await keysUnder('n/1')).toEqual(['n/1', 'n/10']);
        expect(await keysUnder('n%')).toEqual(['n%1']);
        expect(await keysUnder('n_')).toEqual(['n_1']);
        expect(await keysUnder('n/\u{1f6a2}')).toEqual(['n/\u{1f6a2}']);
        expect(await keysUnder('p')).toEqual([]);
        expect(await keysUnder('')).toHaveLength(keys.length);
      });

      test('orders by code point, also where a prefix ends at the last one or before the surrogates', async () => {
        const keys = ['\u{d7ff}', '\u{d7ff}a', '\u{e000}', '\u{ffff}', '\u{10000}', '\u{10ffff}', '\u{10ffff}b'];
        await store.commit({ puts: keys.toReversed().map((key) => ({ key, value: '0' })) });
        expect(await keysUnder('')).toEqual(keys);
        expect(await keysUnder('\u{d7ff}')).toEqual(['\u{d7ff}', '\u{d7ff}a']);
        expect(await keysUnder('\u{10ffff}')).toEqual(['\u{10ffff}', '\u{10ffff}b']);
      });

      test('gives values as they were put', async () => {
        const values = ['""', '{"a":[1,2]}', JSON.stringify('\u0000 \n \u{1f6a2} é'), `"${'x'.repeat(100_000)}"`];
        await store.commit({ puts: values.map((value, index) => ({ key: `k${index}`, value })) });
        expect((await store.read('k')).entries.map(({ value }) => value)).toEqual(values);
      });
    });

    describe('commit', () => {
      test('takes one revision for all it does', async () => {
        await put('gone', '0');
        const commit = {
          puts: [
            { key: 'a', value: '1' },
            { key: 'b', value: '2' },
          ],
          deletes: ['gone'],
        };
        expect(await store.commit(commit)).toEqual({ committed: true, revision: 2 });
        expect(await store.read('')).toEqual({
          revision: 2,
          entries: [
            { key: 'a', value: '1', revision: 2 },
            { key: 'b', value: '2', revision: 2 },
          ],
        });
      });

      test('takes no revision where it changes nothing', async () => {
        await put('a', '1');
        expect(await store.commit({})).toEqual({ committed: true, revision: 1 });
        expect(await store.commit({ deletes: ['missing'] })).toEqual({ committed: true, revision: 1 });
        expect(await store.commit({ checks: [{ key: 'a', revision: 1 }] })).toEqual({ committed: true, revision: 1 });
        expect(await revision()).toBe(1);
      });

      test('counts a put of the same value as a change', async () => {
        await put('a', '1');
        expect(await put('a', '1')).toBe(2);
        expect((await store.read('a')).entries).toEqual([{ key: 'a', value: '1', revision: 2 }]);
      });

      test('does nothing at all where one check fails', async () => {
        await put('a', '1');
        await put('b', '1');
        const failed = { key: 'b', revision: 1 };
        const result = await store.commit({
          checks: [{ key: 'a', revision: 1 }, failed],
          puts: [{ key: 'c', value: '1' }],
          deletes: ['a'],
        });
        expect(result).toEqual({ committed: false, failed });
        expect(await keysUnder('')).toEqual(['a', 'b']);
        expect(await revision()).toBe(2);
      });

      test('checks for presence and absence', async () => {
        await put('a', '1');
        const absent = (key: string) => store.commit({ checks: [{ key, revision: 0 }], puts: [{ key, value: '2' }] });
        expect(await absent('a')).toEqual({ committed: false, failed: { key: 'a', revision: 0 } });
        expect(await absent('A')).toMatchObject({ committed: true });
        await store.commit({ deletes: ['a'] });
        const present = { key: 'a', revision: 1 };
        expect(await store.commit({ checks: [present] })).toEqual({ committed: false, failed: present });
        expect(await absent('a')).toMatchObject({ committed: true });
      });

      test('refuses to change a key twice', async () => {
        const twice = [
          { key: 'a', value: '1' },
          { key: 'a', value: '2' },
        ];
        await expect(store.commit({ puts: twice })).rejects.toMatchObject({ code: 'store_failed' });
        const both = { puts: [{ key: 'a', value: '1' }], deletes: ['a'] };
        await expect(store.commit(both)).rejects.toMatchObject({ code: 'store_failed' });
        expect(await store.read('')).toEqual({ revision: 0, entries: [] });
      });

      test('refuses text that has no UTF-8 form', async () => {
        const stray = { puts: [{ key: 'a\ud800', value: '1' }] };
        await expect(store.commit(stray)).rejects.toMatchObject({ code: 'store_failed' });
        expect(await revision()).toBe(0);
      });

      test('lets exactly one of several racing for the same revision win', async () => {
        await put('counter', '0');
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, racer) =>
            store.commit({
              checks: [{ key: 'counter', revision: 1 }],
              puts: [
                { key: 'counter', value: String(racer) },
                { key: `racer/${racer}`, value: '1' },
              ],
            }),
          ),
        );
        expect(results.filter(({ committed }) => committed)).toHaveLength(1);
        const winner = results.findIndex(({ committed }) => committed);
        expect(await keysUnder('racer/')).toEqual([`racer/${winner}`]);
      });

      test('counts up without a lost update when all who lose try again', async () => {
        await put('counter', '0');
        await Promise.all(Array.from({ length: 10 }, () => increment(10)));
        expect((await store.read('counter')).entries[0]?.value).toBe('100');

        async function increment(times: number): Promise<void> {
          for (let done = 0; done < times; ) {
            const [entry] = (await store.read('counter')).entries;
            if (entry === undefined) throw new Error('the counter is gone');
            const { key, revision } = entry;
            const value = String(Number(entry.value) + 1);
            const result = await store.commit({ checks: [{ key, revision }], puts: [{ key, value }] });
            if (result.committed) done++;
          }
        }
      });
    });

    describe('watch', () => {
      test('replays what came after a revision, then goes on with what comes', async () => {
        await put('a', '1');
        await put('b', '2');
        await put('a', '3');
        const watcher = watchFrom('', 1);
        await watcher.until(3);
        await put('c', '4');
        await store.commit({ deletes: ['a'] });
        expect(await watcher.until(5)).toEqual([
          { revision: 2, changes: [{ key: 'b', value: '2' }] },
          { revision: 3, changes: [{ key: 'a', value: '3' }] },
          { revision: 4, changes: [{ key: 'c', value: '4' }] },
          { revision: 5, changes: [{ key: 'a', value: null }] },
        ]);
        await watcher.stop();
      });

      test('gives what one commit did as one change', async () => {
        await put('w/gone', '0');
        await put('w/kept', '0');
        const watcher = watchFrom('w/', await revision());
        await store.commit({
          puts: [
            { key: 'w/a', value: '1' },
            { key: 'x/b', value: '2' },
            { key: 'w/kept', value: '0' },
          ],
          deletes: ['w/gone', 'w/missing'],
        });
        const [change] = await watcher.until(3);
        expect(change?.changes.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
          { key: 'w/a', value: '1' },
          { key: 'w/gone', value: null },
          { key: 'w/kept', value: '0' },
        ]);
        await watcher.stop();
      });

      test('keeps to the prefix, in replay and live', async () => {
        const keys = ['n/1', 'n0', 'n', 'n/10', 'n%', 'na/'];
        for (const key of keys) await put(key, '1');
        const watcher = watchFrom('n/', 0);
        await watcher.until(4);
        for (const key of keys) await put(key, '2');
        const changes = await watcher.until(10);
        expect(changes.map((change) => change.changes)).toEqual([
          [{ key: 'n/1', value: '1' }],
          [{ key: 'n/10', value: '1' }],
          [{ key: 'n/1', value: '2' }],
          [{ key: 'n/10', value: '2' }],
        ]);
        await watcher.stop();
      });

      test('tells nothing of commits that failed or changed nothing', async () => {
        const watcher = watchFrom('', 0);
        await store.commit({ checks: [{ key: 'a', revision: 7 }], puts: [{ key: 'a', value: '1' }] });
        await store.commit({ deletes: ['a'] });
        await put('b', '1');
        expect(await watcher.until(1)).toEqual([{ revision: 1, changes: [{ key: 'b', value: '1' }] }]);
        await watcher.stop();
      });

      test('waits for a revision that is still to come', async () => {
        const watcher = watchFrom('', 2);
        for (const value of ['1', '2', '3']) await put('a', value);
        expect(await watcher.until(3)).toEqual([{ revision: 3, changes: [{ key: 'a', value: '3' }] }]);
        await watcher.stop();
      });

      test('loses and repeats nothing, whenever it starts and however slow it is', async () => {
        const last = 600;
        const history = createHistory(await store.read(''));
        const watchers = [watchFrom('k/', 0, 7)];
        for (let count = 1; count <= last; count++) {
          await put(`k/${count % 17}`, String(count));
          history.add(await store.read(''));
          if (count % 150 === 75) watchers.push(watchFrom('k/', count - 75), watchFrom('k/', count, 3));
        }
        for (const watcher of watchers) history.expectFollowed(await watcher.until(last), watcher);
        for (const watcher of watchers) await watcher.stop();
      });

      test.each(OVERTAKEN)('leaves out at most what was overtaken: $name', async ({ commits }) => {
        const history = createHistory(await store.read(''));
        for (const commit of commits) {
          await store.commit(commit);
          history.add(await store.read(''));
        }
        const last = await revision();
        for (let after = 0; after < last; after++) {
          const watchers = [watchFrom('', after), watchFrom('w/', after)];
          for (const watcher of watchers) history.expectFollowed(await watcher.until(last), watcher);
          for (const watcher of watchers) await watcher.stop();
        }
      });

      test('leads from any snapshot to the current state, whatever is committed', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
            await store.commit({ deletes: (await store.read('')).entries.map(({ key }) => key) });
            const snapshot = await store.read('');
            const history = createHistory(snapshot);
            const watchers = [watchFrom('', snapshot.revision)];
            for (const { commit, begin, turns } of steps) {
              await store.commit(commit);
              const now = await store.read('');
              history.add(now);
              const after = Math.max(snapshot.revision, now.revision - begin.back);
              watchers.push(watchFrom(begin.prefix, after, begin.pause));
              for (let turn = 0; turn < turns; turn++) await nextTurn();
            }
            const last = await put('w/end', '0');
            history.add(await store.read(''));
            for (const watcher of watchers) history.expectFollowed(await watcher.until(last), watcher);
            for (const watcher of watchers) await watcher.stop();
          }),
        );
      });

      test('ends when it is aborted, before it begins and while it waits', async () => {
        await put('a', '1');
        expect(await collect(store.watch('', 0, AbortSignal.abort()))).toEqual([]);
        const watcher = watchFrom('', 0);
        await watcher.until(1);
        expect(await watcher.stop()).toHaveLength(1);
        await put('a', '2');
        expect(await watcher.stop()).toHaveLength(1);
      });

      test('ends when the store is closed', async () => {
        const watcher = watchFrom('', 0);
        await put('a', '1');
        await watcher.until(1);
        await store.close();
        expect(await watcher.ended).toHaveLength(1);
      });
    });

    describe('close', () => {
      test('keeps everything for the next one who opens it', async () => {
        for (let count = 1; count <= 20; count++) await put(`k/${count}`, String(count));
        await store.commit({ deletes: ['k/7'] });
        const before = await store.read('');
        await store.close();
        store = await place.open();
        expect(await store.read('')).toEqual(before);
        const watcher = watchFrom('', 20);
        await watcher.until(21);
        expect(await put('k/7', 'null')).toBe(22);
        expect(await watcher.until(22)).toEqual([
          { revision: 21, changes: [{ key: 'k/7', value: null }] },
          { revision: 22, changes: [{ key: 'k/7', value: 'null' }] },
        ]);
        await watcher.stop();
      });

      test('refuses what comes later, and may be repeated', async () => {
        await store.close();
        await store.close();
        await expect(store.read('')).rejects.toMatchObject({ code: 'store_failed' });
        await expect(put('a', '1')).rejects.toMatchObject({ code: 'store_failed' });
      });
    });

    test('loses no acknowledged commit when its process is killed', async () => {
      await store.close();
      for (let round = 0; round < 5; round++) {
        const acknowledged = await commitUntilKilled(place.address, 20 + 35 * round);
        store = await place.open();
        const { revision, entries } = await store.read('k/');
        expect(acknowledged).toBeGreaterThan(0);
        expect(revision).toBeGreaterThanOrEqual(acknowledged);
        // Key N/a and N/b are put by the one commit that takes revision N.
        expect(entries).toHaveLength(revision * 2);
        for (const entry of entries) expect(entry.key).toMatch(new RegExp(`^k/${entry.revision}/[ab]$`));
        await store.close();
      }
      store = await place.open();
    });

    async function put(key: string, value: string): Promise<number> {
      const result = await store.commit({ puts: [{ key, value }] });
      if (!result.committed) throw new Error('a commit without checks failed a check');
      return result.revision;
    }

    async function revision(): Promise<number> {
      return (await store.read('')).revision;
    }

    async function keysUnder(prefix: string): Promise<string[]> {
      return (await store.read(prefix)).entries.map(({ key }) => key);
    }

    /** A watcher that takes a pause of `pause` turns of the event loop after every change. */
    function watchFrom(prefix: string, after: number, pause = 0) {
      const abort = new AbortController();
      const seen: Change[] = [];
      const ended = (async () => {
        for await (const change of store.watch(prefix, after, abort.signal)) {
          seen.push(change);
          for (let turn = 0; turn < pause; turn++) await nextTurn();
        }
        return seen;
      })();
      return {
        prefix,
        after,
        ended,
        /** Everything seen so far, once the change of that revision is among it. */
        async until(revision: number): Promise<readonly Change[]> {
          while ((seen.at(-1)?.revision ?? 0) < revision) await nextTurn();
          return seen;
        },
        async stop(): Promise<readonly Change[]> {
          abort.abort();
          return ended;
        },
      };
    }
  });
}

function puts(...keys: readonly string[]): Commit {
  return { puts: keys.map((key) => ({ key, value: '0' })) };
}

function deletes(...keys: readonly string[]): Commit {
  return { deletes: keys };
}

async function collect(changes: AsyncIterable<Change>): Promise<Change[]> {
  const all: Change[] = [];
  for await (const change of changes) all.push(change);
  return all;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
