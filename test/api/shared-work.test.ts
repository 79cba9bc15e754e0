import { expect, test } from 'vitest';
import { shareWork } from '../../src/api/shared-work.ts';

/** Work that is done when it is told to be; each begun one by its name. */
function open(atOnce: number) {
  const shared = shareWork<string>(atOnce);
  const begun: string[] = [];
  const ends: PromiseWithResolvers<string>[] = [];
  function ask(key: string, signal?: AbortSignal): Promise<string | null> {
    const work = () => {
      const end = Promise.withResolvers<string>();
      begun.push(key);
      ends.push(end);
      return end.promise;
    };
    return shared.ask(key, work, signal);
  }
  async function end(which: number, answer: string): Promise<void> {
    ends[which]?.resolve(answer);
    await settled();
  }
  return { ask, end, begun, ends };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('who asks while one is under way has the next one, with all others who do', async () => {
  const { ask, end, begun } = open(8);
  const first = ask('a');
  await settled();
  const later = Array.from({ length: 100 }, () => ask('a'));
  await settled();
  expect(begun).toEqual(['a']);
  await end(0, 'old');
  expect(begun).toEqual(['a', 'a']);
  await end(1, 'new');
  expect([await first, new Set(await Promise.all(later))]).toEqual(['old', new Set(['new'])]);
});

test('so many are under way at a time, and the others come in their order', async () => {
  const { ask, end, begun } = open(2);
  const all = ['a', 'b', 'c', 'd'].map((key) => ask(key));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  await end(1, 'B');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end(0, 'A');
  await end(2, 'C');
  await end(3, 'D');
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D']);
  const last = ask('e');
  await settled();
  await end(4, 'E');
  expect(await last).toBe('E');
});

test('one that fails fails for those who asked for it, and makes room', async () => {
  const { ask, ends, end, begun } = open(1);
  const failed = [ask('a'), ask('a')];
  await settled();
  const next = ask('a');
  ends[0]?.reject(new Error('no'));
  await Promise.all(failed.map((one) => expect(one).rejects.toThrow('no')));
  await settled();
  expect(begun).toHaveLength(2);
  await end(1, 'yes');
  expect(await next).toBe('yes');
});

test('one that nobody waits for any more is not begun', async () => {
  const { ask, end, begun } = open(1);
  const [gone, there] = [new AbortController(), new AbortController()];
  const first = ask('a');
  const given = [ask('b', gone.signal), ask('c', gone.signal), ask('c', there.signal)];
  await settled();
  gone.abort();
  await end(0, 'A');
  await settled();
  expect([await first, begun]).toEqual(['A', ['a', 'c']]);
  await end(1, 'C');
  expect(await Promise.all(given)).toEqual([null, 'C', 'C']);
});
