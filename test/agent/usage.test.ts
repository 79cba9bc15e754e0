import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createUsage } from '../../src/agent/usage.ts';
import { FORGETFUL, type UsageMemory, type Use } from '../../src/agent/usage-memory.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const counted = (connections: number, packets = 0) => ({
  connections,
  in: { packets, bytes: 100 * packets },
  out: { packets: 0, bytes: 0 },
});
let errors: unknown[];

beforeEach(() => {
  errors = [];
  vi.useFakeTimers();
});

afterEach(() => void vi.useRealTimers());

function usageOver(memory: UsageMemory, present: (forward: string) => boolean = () => true) {
  const usage = createUsage({ memory, present, onError: (error) => errors.push(error) });
  return {
    ...usage,
    noteOne: (forward: string, connections: number, now: number) =>
      usage.note(new Map([[forward, counted(connections)]]), now).get(forward),
  };
}

/** What outlives a daemon, and how often it was written. */
function createMemory() {
  const state: { kept: readonly Use[]; writes: number } = { kept: [], writes: 0 };
  const memory: UsageMemory = {
    recall: async () => state.kept,
    async remember(uses) {
      state.kept = [...uses];
      state.writes++;
    },
  };
  return { state, memory };
}

test('a forward was last used when its counters were first seen as they are', async () => {
  const usage = usageOver(FORGETFUL);
  expect(usage.noteOne('a', 5, 1000)).toBeNull();
  expect(usage.noteOne('a', 5, 2000)).toBeNull();
  expect(usage.noteOne('a', 6, 3000)).toBe(3000);
  expect(usage.noteOne('a', 6, 4000)).toBe(3000);
  expect(usage.note(new Map([['a', counted(6, 1)]]), 5000)).toEqual(new Map([['a', 5000]]));
  expect(usage.noteOne('b', 0, 6000)).toBeNull();
  usage.forget('a');
  expect(usage.noteOne('a', 7, 7000)).toBeNull();
});

test('of one that is new, the first use is told, and that it has none', () => {
  const usage = usageOver(FORGETFUL);
  for (const forward of ['a', 'b']) usage.begin(forward);
  expect(usage.noteOne('a', 2, 1000)).toBe(1000);
  expect(usage.noteOne('a', 2, 2000)).toBe(1000);
  expect(usage.noteOne('b', 0, 2000)).toBeNull();
  expect(usage.noteOne('b', 1, 3000)).toBe(3000);
});

test('one that is known already begins no other time', () => {
  const usage = usageOver(FORGETFUL);
  usage.noteOne('a', 5, 1000);
  usage.begin('a');
  expect(usage.noteOne('a', 5, 2000)).toBeNull();
});

test('what is new and has not been looked at yet is remembered, too', async () => {
  const { state, memory } = createMemory();
  const usage = usageOver(memory);
  await usage.recall();
  usage.begin('a');
  await usage.stop();
  const next = usageOver(memory);
  await next.recall();
  expect(next.noteOne('a', 1, 5000)).toBe(5000);
  expect(state.writes).toBe(1);
});

test('counters that begin anew, in all places or in one, are no use; that they rise from there is', () => {
  const { noteOne } = usageOver(FORGETFUL);
  noteOne('a', 5, 1000);
  expect(noteOne('a', 6, 2000)).toBe(2000);
  expect(noteOne('a', 3, 3000)).toBe(2000);
  expect(noteOne('a', 0, 3000)).toBe(2000);
  expect(noteOne('a', 2, 4000)).toBe(4000);
});

describe('a daemon after another', () => {
  test('goes on where it stopped, and sees what was used in between', async () => {
    const { memory } = createMemory();
    const first = usageOver(memory);
    await first.recall();
    for (const [connections, now] of [
      [5, 1000],
      [6, 2000],
    ] as const)
      first.noteOne('a', connections, now);
    first.noteOne('b', 1, 2000);
    await first.stop();
    const second = usageOver(memory);
    await second.recall();
    expect(second.noteOne('a', 6, 9000)).toBe(2000);
    expect(second.noteOne('b', 2, 9000)).toBe(9000);
  });

  test('knows nothing of forwards that have gone', async () => {
    const { state, memory } = createMemory();
    state.kept = [{ forward: 'a', sum: 1, risen: 1 }];
    const usage = usageOver(memory, () => false);
    await usage.recall();
    expect(usage.noteOne('a', 1, 2000)).toBeNull();
    usage.noteOne('a', 2, 3000);
    await usage.stop();
    expect(state.writes).toBe(0);
  });

  test('of one that was killed, knows a time no earlier than was told, and none as unknown', async () => {
    const { memory } = createMemory();
    const killed = usageOver(memory);
    killed.noteOne('a', 5, 1000);
    killed.noteOne('b', 5, 1000);
    expect(killed.noteOne('a', 6, 2000)).toBe(2000);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(killed.noteOne('a', 7, 3000)).toBe(3000);
    const next = usageOver(memory);
    await next.recall();
    expect(next.noteOne('a', 7, 9000)).toBe(9000);
  });
});

describe('what is noted is written', () => {
  test('a second after first uses, else a minute after something was noted, and not while nothing is', async () => {
    const { state, memory } = createMemory();
    const { noteOne } = usageOver(memory);
    noteOne('a', 5, 1000);
    expect(state.writes).toBe(0);
    for (const forward of ['a', 'b', 'c']) noteOne(forward, 5, 1000);
    for (const forward of ['a', 'b', 'c']) noteOne(forward, 6, 2000);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(state.writes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    for (let connections = 7; connections < 20; connections++) noteOne('a', connections, 3000);
    expect(state.writes).toBe(1);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(state).toMatchObject({ writes: 2, kept: expect.arrayContaining([{ forward: 'a', sum: 19, risen: 3000 }]) });
    noteOne('a', 19, 4000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('at the end, but only where something is new', async () => {
    const { state, memory } = createMemory();
    const usage = usageOver(memory);
    usage.noteOne('a', 5, 1000);
    await usage.stop();
    expect(state.writes).toBe(1);
    await usage.stop();
    expect(state.writes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('again, where that fails; nobody is kept from an answer', async () => {
    const { state, memory } = createMemory();
    let isFull = true;
    const { noteOne } = usageOver({
      ...memory,
      remember: async (uses) => {
        if (isFull) throw new Error('the disk is full');
        await memory.remember(uses);
      },
    });
    noteOne('a', 5, 1000);
    expect(noteOne('a', 6, 2000)).toBe(2000);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(errors).toHaveLength(1);
    isFull = false;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(state.kept).toEqual([{ forward: 'a', sum: 6, risen: 2000 }]);
  });

  test('over nothing that could not be read, but together with it as soon as it can', async () => {
    const { state, memory } = createMemory();
    state.kept = [
      { forward: 'a', sum: 5, risen: 500 },
      { forward: 'b', sum: 5, risen: 600 },
    ];
    let isOut = true;
    const recall = async () => {
      if (isOut) throw new Error('too many open files');
      return state.kept;
    };
    const usage = usageOver({ ...memory, recall });
    await usage.recall();
    expect(usage.noteOne('a', 5, 1000)).toBeNull();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect({ errors: errors.length, writes: state.writes }).toEqual({ errors: 2, writes: 0 });
    isOut = false;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(state.kept).toEqual([
      { forward: 'a', sum: 5, risen: 500 },
      { forward: 'b', sum: 5, risen: 600 },
    ]);
    expect(usage.noteOne('a', 5, 2000)).toBe(500);
  });
});
