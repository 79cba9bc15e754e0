import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Desired } from '../../src/agent/desired.ts';
import { createPlace, type Place, type PlaceOptions } from '../../src/agent/place.ts';
import type { Dataplane, Farewell } from '../../src/dataplane/dataplane.ts';
import { hatobaError } from '../../src/model/errors.ts';
import type { Forward, ForwardInput } from '../../src/model/forward.ts';
import type { ProtocolLimits } from '../../src/model/router.ts';
import { printTime } from '../../src/model/time.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { forwardOf, idOf } from '../model/arbitraries.ts';

const INSTANCE = { id: 'r', router: 'r', gateways: {} };

let world: MemoryWorld;
let calls: string[];
/** What keeps the data plane from doing anything. */
let obstacle: Error | null;
let wanted: { revision: number; forwards: Map<string, Forward>; draining: ReadonlySet<string> };
/** What the data plane was told of flows last. */
let farewell: Farewell | undefined;
let told: string[];
let limits: ProtocolLimits;
let place: Place;
/** Happens while the data plane changes something. */
let meanwhile: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  world = createMemoryWorld();
  world.add('r');
  [calls, told, obstacle, limits] = [[], [], null, {}];
  wanted = { revision: 0, forwards: new Map(), draining: new Set() };
  farewell = undefined;
  meanwhile = () => {};
  place = createPlace(INSTANCE, options());
});

function options(): PlaceOptions {
  return {
    dataplane: recorded(world.open()),
    desired: (): Desired => ({ ...wanted, retired: [], orphaned: new Set(), gateways: {} }),
    baseline: { revision: 0, at: '', gateways: [] },
    prepare: async () => undefined,
    onDue: (due) => void due.pass(),
    onStatus: () => told.push('status'),
    onCorrected: (_, { corrections, isForeign }) => told.push(`${isForeign ? 'repaired' : 'corrected'} ${corrections}`),
    onFailed: () => told.push('failed'),
  };
}

afterEach(() => {
  place.stop();
  vi.useRealTimers();
});

/** The same data plane, whose calls are written down, and fail while there is an obstacle. */
function recorded(dataplane: Dataplane): Dataplane {
  const record = (call: string) => {
    calls.push(call);
    if (obstacle !== null) throw obstacle;
  };
  return {
    ...dataplane,
    async limits() {
      record('limits');
      return limits;
    },
    async synchronise(id, program, told) {
      record('synchronise');
      farewell = told;
      meanwhile();
      return dataplane.synchronise(id, program);
    },
    async apply(id, change, draining = new Set()) {
      record(`apply -${change.remove.length} +${change.add.length}`);
      farewell = { draining, gone: change.remove };
      meanwhile();
      await dataplane.apply(id, change);
    },
  };
}

function want(id: number, input: Partial<ForwardInput> = {}): ReadonlySet<string> {
  const forward = forwardOf({ external_address: '192.0.2.1', external_port: id, ...input }, { id: idOf(id) });
  wanted.forwards.set(forward.id, forward);
  wanted.revision++;
  return new Set([forward.id]);
}

function inSeconds(seconds: number): string {
  return printTime(Date.now() + seconds * 1000);
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

function present(): readonly string[] | undefined {
  return world.contents('r')?.map(({ external, externalPorts, internal }) => {
    return `${external.text} ${externalPorts.first} → ${internal.text}`;
  });
}

describe('a place', () => {
  test('is compared first, and given changes from then on', async () => {
    want(1);
    place.mark('all');
    await settle();
    place.mark(want(2));
    await settle();
    place.mark(want(2, { internal_address: '10.0.0.9' }));
    await settle();
    expect(calls).toEqual(['synchronise', 'apply -0 +1', 'apply -1 +1']);
    expect(present()).toEqual(['192.0.2.1 1 → 192.168.50.11', '192.0.2.1 2 → 10.0.0.9']);
    expect(place).toMatchObject({ revision: 3, error: null });
    expect(told).toEqual(['corrected 2', 'status', 'status', 'status']);
  });

  test('that is as it should be is not written to', async () => {
    place.mark(want(1));
    await settle();
    calls = [];
    wanted.revision = 9;
    place.mark(new Set([idOf(1)]));
    await settle();
    expect(calls).toEqual([]);
    expect(place.revision).toBe(9);
  });

  test('takes marks that meet together, and those that come during a pass too', async () => {
    place.mark('all');
    await settle();
    for (const id of [1, 2, 3]) place.mark(want(id));
    place.mark(want(4));
    await settle();
    expect(present()).toHaveLength(4);
    expect(place.revision).toBe(4);
  });

  test('publishes its status after each pass, also where changes never cease', async () => {
    place.mark('all');
    await settle();
    told = [];
    let rounds = 0;
    const revisions: number[] = [];
    meanwhile = () => {
      revisions.push(place.revision);
      if (++rounds < 50) place.mark(want(1, { internal_address: `10.0.0.${rounds}` }));
      // All but the pass under way.
      expect(told.filter((text) => text === 'status')).toHaveLength(rounds - 1);
    };
    place.mark(want(1));
    await settle();
    expect(rounds).toBe(50);
    expect(revisions).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(told.filter((text) => text === 'status')).toHaveLength(50);
  });

  test('leaves what became pending during a pass to the next one, which others may come before', async () => {
    place.mark('all');
    await settle();
    let asked = 0;
    const patient = createPlace(INSTANCE, { ...options(), onDue: () => asked++ });
    patient.mark('all');
    expect(asked).toBe(1);
    meanwhile = () => patient.mark(want(2));
    await patient.pass();
    meanwhile = () => {};
    expect(asked).toBe(2);
    expect(patient.revision).toBe(0);
    await patient.pass();
    expect(asked).toBe(2);
    expect(patient.revision).toBe(1);
    patient.stop();
  });

  test('that was disturbed is compared again', async () => {
    place.mark(want(1));
    await settle();
    world.tamper('r', () => null);
    place.disturb(0);
    await settle();
    expect(calls).toEqual(['synchronise', 'synchronise']);
    expect(present()).toHaveLength(1);
    expect(told).toContain('repaired 2');
  });

  test('that has to be another than it was is no doing of others, nor is what had failed', async () => {
    place.mark(want(1));
    await settle();
    place.update(INSTANCE);
    obstacle = hatobaError('kernel_refused', { namespace: 'r', reason: 'no room' });
    place.mark(want(1, { internal_address: '10.0.0.9' }));
    await settle();
    obstacle = null;
    await vi.advanceTimersByTimeAsync(100);
    expect(present()).toEqual(['192.0.2.1 1 → 10.0.0.9']);
    expect(told.filter((text) => /^(corrected|repaired)/.test(text))).toEqual(['corrected 2', 'corrected 1']);
  });

  test('that others had changed is repaired also where that fails at first', async () => {
    place.mark(want(1));
    await settle();
    obstacle = hatobaError('kernel_refused', { namespace: 'r', reason: 'no room' });
    world.tamper('r', () => null);
    place.disturb(0);
    await settle();
    obstacle = null;
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toContain('repaired 2');
  });

  test.each([
    ['is changed', () => undefined, 'apply -1 +0'],
    ['was disturbed', () => place.disturb(0), 'synchronise'],
  ])('that %s tells the data plane what is gone, and whose flows go on', async (_, happen, call) => {
    place.mark(want(1));
    await settle();
    wanted.forwards.delete(idOf(1));
    wanted.draining = new Set([idOf(1)]);
    wanted.revision++;
    happen();
    place.mark(new Set([idOf(1)]));
    await settle();
    expect(calls.at(-1)).toBe(call);
    expect(farewell?.draining).toEqual(wanted.draining);
    expect(farewell?.gone.map(({ forward }) => forward)).toEqual([idOf(1)]);
  });

  test('whose change is refused, since what it was based on is gone, is compared in the same pass', async () => {
    place.mark(want(1));
    await settle();
    world.remove('r');
    world.add('r');
    place.mark(want(1, { internal_address: '10.0.0.9' }));
    await settle();
    expect(calls).toEqual(['synchronise', 'apply -1 +1', 'synchronise']);
    expect(present()).toEqual(['192.0.2.1 1 → 10.0.0.9']);
    expect(place.error).toBeNull();
    expect(told).not.toContain('failed');
    expect(told).toContain('repaired 2');
  });

  test('asks what cannot be forwarded there only when it matters, and anew each time', async () => {
    place.mark(want(1));
    await settle();
    expect(calls).toEqual(['synchronise']);
    limits = { dccp: 'not here' };
    place.mark(want(2, { protocol: 'dccp' }));
    await settle();
    expect(calls).toEqual(['synchronise', 'limits']);
    expect(place.applied.problems.get(idOf(2))).toEqual({ state: 'error', message: 'not here' });
    expect(present()).toHaveLength(1);
    limits = {};
    place.mark(new Set([idOf(2)]));
    await settle();
    expect(place.applied.problems.size).toBe(0);
    expect(present()).toHaveLength(2);
  });

  test('knows what cannot be forwarded there also where others are due, and touch others’ ports', async () => {
    limits = { dccp: 'not here' };
    place.mark(want(1, { protocol: 'dccp' }));
    await settle();
    place.mark(want(2));
    await settle();
    place.mark(want(3, { external_port: 2 }));
    await settle();
    expect(place.applied.problems.get(idOf(1))).toEqual({ state: 'error', message: 'not here' });
    expect(present()).toHaveLength(1);
  });

  test('that fails says why, tries again later and later, and ends with a comparison', async () => {
    place.mark(want(1));
    await settle();
    obstacle = hatobaError('kernel_refused', { namespace: 'r', reason: 'no room' });
    place.mark(want(2));
    await settle();
    // The first repetition may put it right.
    expect([place.error, place.revision]).toEqual([null, 1]);
    await vi.advanceTimersByTimeAsync(100);
    expect(place.error).toBe('the kernel refused a change in namespace r: no room');
    expect(place.revision).toBe(1);
    await vi.advanceTimersByTimeAsync(200 + 400);
    expect(calls).toEqual(['synchronise', 'apply -0 +1', ...Array<string>(4).fill('synchronise')]);
    obstacle = null;
    await vi.advanceTimersByTimeAsync(799);
    expect(place.error).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(place).toMatchObject({ error: null, revision: 2 });
    expect(present()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toHaveLength(7);
  });

  test('that was refused for a moment never says that it failed', async () => {
    place.mark(want(1));
    await settle();
    obstacle = hatobaError('kernel_refused', { namespace: 'r', reason: 'no room' });
    place.mark(want(2));
    await settle();
    obstacle = null;
    expect([place.error, place.revision]).toEqual([null, 1]);
    await vi.advanceTimersByTimeAsync(100);
    expect([place.error, place.revision]).toEqual([null, 2]);
  });

  test('waits thirty seconds at most before it tries again', async () => {
    obstacle = hatobaError('namespace_gone', { namespace: 'r' });
    place.mark('all');
    await vi.advanceTimersByTimeAsync(120_000);
    calls = [];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toHaveLength(2);
  });

  test('that is fought over is put right more slowly, says so, and forgets when it is over', async () => {
    place.mark(want(1));
    await settle();
    for (let round = 0; round < 21; round++) {
      world.tamper('r', () => null);
      place.disturb(round);
      await settle();
    }
    expect(present()).toBeUndefined();
    expect(place.error).toMatch(/another program has changed our table 21 times in a row/);
    await vi.advanceTimersByTimeAsync(250);
    expect(present()).toHaveLength(1);
    expect(place.error).not.toBeNull();
    await vi.advanceTimersByTimeAsync(1_250);
    expect(place.error).toBeNull();
  });

  test('takes a forward out when its time has come, that one alone, and needs no timer then', async () => {
    place.mark('all');
    await settle();
    place.mark(want(1));
    place.mark(want(2, { expires_at: inSeconds(2) }));
    place.mark(want(3, { expires_at: inSeconds(86_400 * 30) }));
    await settle();
    calls = [];
    await vi.advanceTimersByTimeAsync(1_999);
    expect(present()).toHaveLength(3);
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toEqual(['apply -1 +0']);
    expect(present()).toEqual(['192.0.2.1 1 → 192.168.50.11', '192.0.2.1 3 → 192.168.50.11']);
    expect(place.at).toBe(inSeconds(0));
    await vi.advanceTimersByTimeAsync(86_400_000 * 30 - 2_001);
    expect(present()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(present()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('leaves what has expired before out from the start', async () => {
    want(1, { expires_at: inSeconds(0) });
    want(2, { expires_at: inSeconds(1) });
    place.mark('all');
    await settle();
    expect(present()).toEqual(['192.0.2.1 2 → 192.168.50.11']);
  });

  test('follows an expiry that is changed, and wakes up for none that was taken away', async () => {
    place.mark(want(1, { expires_at: inSeconds(1) }));
    await settle();
    place.mark(want(1, { expires_at: inSeconds(3) }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(present()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(present()).toEqual([]);
    place.mark(want(1, { expires_at: inSeconds(1) }));
    await settle();
    expect(present()).toHaveLength(1);
    place.mark(want(1));
    await settle();
    expect(present()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('takes out what has expired with whatever else is to be done, also before it was woken up for it', async () => {
    place.mark(want(1, { expires_at: inSeconds(5) }));
    place.mark(want(2));
    await settle();
    vi.setSystemTime(Date.now() + 60_000);
    calls = [];
    place.mark(want(2, { internal_address: '10.0.0.9' }));
    await settle();
    expect(calls).toEqual(['apply -2 +1']);
    expect(present()).toEqual(['192.0.2.1 2 → 10.0.0.9']);
  });

  test('looks at once where it is told that the clock was set, and only where something expires', async () => {
    place.mark(want(1, { expires_at: inSeconds(86_400) }));
    place.mark(want(2));
    await settle();
    calls = [];
    vi.setSystemTime(Date.now() + 86_400_000);
    place.lookAtClock();
    await settle();
    // What the kernel has by its own clock is compared, too.
    expect(calls).toEqual(['synchronise']);
    expect(present()).toEqual(['192.0.2.1 2 → 192.168.50.11']);
    const { at } = place;
    vi.setSystemTime(Date.now() + 86_400_000);
    place.lookAtClock();
    await settle();
    expect(place.at).toBe(at);
    vi.setSystemTime(Date.now() - 3 * 86_400_000);
    place.lookAtClock();
    await settle();
    expect(present()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2 * 86_400_000);
    expect(present()).toHaveLength(1);
  });

  test('brings back what had expired by a clock that was set back since', async () => {
    place.mark(want(1, { expires_at: inSeconds(5) }));
    await settle();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(present()).toEqual([]);
    vi.setSystemTime(Date.now() - 60_000);
    place.mark(want(2));
    await settle();
    expect(present()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(present()).toHaveLength(1);
  });

  test('that could not take an expired forward out tries again, and does not say that it has', async () => {
    place.mark(want(1, { expires_at: inSeconds(1) }));
    await settle();
    const { at } = place;
    obstacle = hatobaError('namespace_gone', { namespace: 'r' });
    await vi.advanceTimersByTimeAsync(1_050);
    expect([place.error, place.at]).toEqual([null, at]);
    await vi.advanceTimersByTimeAsync(100);
    expect(place.error).not.toBeNull();
    expect(place.at).toBe(at);
    obstacle = null;
    await vi.advanceTimersByTimeAsync(200);
    expect(present()).toEqual([]);
    expect(place.error).toBeNull();
  });

  test('that is stopped has no alarm', async () => {
    place.mark(want(1, { expires_at: inSeconds(1) }));
    await settle();
    place.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is stopped does nothing any more', async () => {
    obstacle = hatobaError('namespace_gone', { namespace: 'r' });
    place.mark('all');
    await settle();
    place.stop();
    place.mark('all');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toEqual(['synchronise']);
  });
});
