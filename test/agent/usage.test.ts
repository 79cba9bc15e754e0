import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createUsage } from '../../src/agent/usage.ts';
import { FORGETFUL, type UsageMemory, type Use } from '../../src/agent/usage-memory.ts';

const MINUTE = 60_000;
const counted = (connections: number, packets = 0) => ({
  connections,
  in: { packets, bytes: 100 * packets },
  out: { packets: 0, bytes: 0 },
});
const all = () => true;

let errors: unknown[];

beforeEach(() => {
  errors = [];
  vi.useFakeTimers();
});

afterEach(() => void vi.useRealTimers());

function usageOver(memory: UsageMemory) {
  const usage = createUsage({ memory, onError: (error) => errors.push(error) });
  return {
    ...usage,
    noteOne: async (forward: string, connections: number, now: number) =>
      (await usage.note(new Map([[forward, counted(connections)]]), now)).get(forward),
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
  expect(await usage.noteOne('a', 5, 1000)).toBeNull();
  expect(await usage.noteOne('a', 5, 2000)).toBeNull();
  expect(await usage.noteOne('a', 6, 3000)).toBe(3000);
  expect(await usage.noteOne('a', 6, 4000)).toBe(3000);
  expect(await usage.note(new Map([['a', counted(6, 1)]]), 5000)).toEqual(new Map([['a', 5000]]));
  expect(await usage.noteOne('b', 0, 6000)).toBeNull();
  usage.forget('a');
  expect(await usage.noteOne('a', 7, 7000)).toBeNull();
});

test('counters that begin anew are no use; that they rise from there is', async () => {
  const { noteOne } = usageOver(FORGETFUL);
  await noteOne('a', 5, 1000);
  expect(await noteOne('a', 6, 2000)).toBe(2000);
  expect(await noteOne('a', 0, 3000)).toBe(2000);
  expect(await noteOne('a', 2, 4000)).toBe(4000);
});

describe('a daemon after another', () => {
  test('goes on where it stopped, and sees what was used in between', async () => {
    const { memory } = createMemory();
    const first = usageOver(memory);
    await first.recall(all);
    for (const [connections, now] of [
      [5, 1000],
      [6, 2000],
    ] as const)
      await first.noteOne('a', connections, now);
    await first.noteOne('b', 1, 2000);
    await first.stop();
    const second = usageOver(memory);
    await second.recall(all);
    expect(await second.noteOne('a', 6, 9000)).toBe(2000);
    expect(await second.noteOne('b', 2, 9000)).toBe(9000);
  });

  test('knows nothing of forwards that have gone', async () => {
    const { state, memory } = createMemory();
    state.kept = [{ forward: 'a', sum: 1, risen: 1 }];
    const usage = usageOver(memory);
    await usage.recall(() => false);
    expect(await usage.noteOne('a', 1, 2000)).toBeNull();
  });

  test('of one that was killed, knows a time no earlier than was told, and none as unknown', async () => {
    const { memory } = createMemory();
    const killed = usageOver(memory);
    await killed.noteOne('a', 5, 1000);
    await killed.noteOne('b', 5, 1000);
    expect(await killed.noteOne('a', 6, 2000)).toBe(2000);
    expect(await killed.noteOne('a', 7, 3000)).toBe(3000);
    const next = usageOver(memory);
    await next.recall(all);
    expect(await next.noteOne('a', 7, 9000)).toBe(9000);
  });
});

describe('what is noted is written', () => {
  test('at the first use, then a minute after something was noted, and not while nothing is', async () => {
    const { state, memory } = createMemory();
    const { noteOne } = usageOver(memory);
    await noteOne('a', 5, 1000);
    expect(state.writes).toBe(0);
    await noteOne('a', 6, 2000);
    expect(state.writes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    for (let connections = 7; connections < 20; connections++) await noteOne('a', connections, 3000);
    expect(state.writes).toBe(1);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(state).toMatchObject({ writes: 2, kept: [{ forward: 'a', sum: 19, risen: 3000 }] });
    await noteOne('a', 19, 4000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('at the end, but only where something is new', async () => {
    const { state, memory } = createMemory();
    const usage = usageOver(memory);
    await usage.noteOne('a', 5, 1000);
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
    await noteOne('a', 5, 1000);
    expect(await noteOne('a', 6, 2000)).toBe(2000);
    expect(errors).toHaveLength(1);
    isFull = false;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(state.kept).toEqual([{ forward: 'a', sum: 6, risen: 2000 }]);
  });

  test('and where it cannot be read, it begins anew', async () => {
    const usage = usageOver({ ...FORGETFUL, recall: () => Promise.reject(new Error('it is a directory')) });
    await usage.recall(all);
    expect(errors).toHaveLength(1);
    expect(await usage.noteOne('a', 5, 1000)).toBeNull();
  });
});
