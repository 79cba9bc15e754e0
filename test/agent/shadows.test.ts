import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPlace, type Place } from '../../src/agent/place.ts';
import { createShadows, type Shadows } from '../../src/agent/shadows.ts';
import type { Neighbours } from '../../src/dataplane/neighbours.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { forwardOf, idOf } from '../model/arbitraries.ts';
import { NO_NEIGHBOURS } from '../support/no-neighbours.ts';

const RULE = '-A PREROUTING -d 203.0.113.1/32 -p tcp -j DNAT --to-destination 10.0.0.9';
const WARNING = `shadows a rule of iptables-nft (nat): ${RULE}`;
const ID = idOf(1);

let world: MemoryWorld;
let rules: readonly string[];
let read: string[];
let silent: boolean;
let failing: boolean;
let changes: string[];
let warnings: unknown[];
let shadows: Shadows;
/** What reading waits for. */
let waiting: Promise<void>;
let place: Place;

const neighbours: Neighbours = {
  ...NO_NEIGHBOURS,
  changesInSilence: async () => silent,
  async read(id) {
    read.push(id);
    await waiting;
    if (failing) throw new Error('it cannot be read');
    const text = ['*nat', ':PREROUTING ACCEPT [0:0]', ...rules, 'COMMIT'].join('\n');
    return { dumps: [{ variant: 'nft', family: 4, program: 'iptables-nft', text }], nft: null, unread: [] };
  },
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  world = createMemoryWorld();
  waiting = Promise.resolve();
  [rules, read, silent, failing, changes, warnings] = [[RULE], [], false, false, [], []];
  const ignore = () => {};
  shadows = createShadows({
    neighbours,
    onChange: ({ instance }) => changes.push(instance.id),
    log: { debug: ignore, info: ignore, error: ignore, warn: (details) => warnings.push(details['instance']) },
  });
});

afterEach(async () => {
  await shadows.stop();
  vi.useRealTimers();
});

/** With forwards of these ports, as they are at each pass, in the kernel. */
async function placeOf(id: string, ports: readonly number[] = [80]): Promise<Place> {
  world.add(id);
  const forwards = () =>
    ports.map((port, at) => {
      return forwardOf({ external_address: '203.0.113.1', external_port: port, router: id }, { id: idOf(at + 1) });
    });
  const ignore = () => {};
  const place = createPlace(
    { id, router: id, gateways: {} },
    {
      dataplane: world.open(),
      desired: () => ({
        revision: 1,
        forwards: new Map(forwards().map((forward) => [forward.id, forward])),
        draining: new Set(),
        retired: [],
        orphaned: new Set(),
        gateways: {},
      }),
      baseline: { revision: 0, at: '', gateways: [] },
      prepare: async () => undefined,
      onDue: ignore,
      onStatus: ignore,
      onCorrected: ignore,
      onFailed: ignore,
    },
  );
  place.mark('all');
  await place.pass();
  return place;
}

/** Lets that much time pass, and all that follows from it. */
async function pass(milliseconds: number, turns = 5): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('nothing is read before it begins, nor where there are no forwards', async () => {
  const [place, empty] = [await placeOf('a'), await placeOf('b', [])];
  shadows.passed(place);
  shadows.passed(empty);
  shadows.changed(empty);
  await pass(60_000);
  expect(read).toEqual([]);
  shadows.begin();
  await pass(999);
  expect(read).toEqual([]);
  await pass(1);
  expect(read).toEqual(['a']);
  expect(shadows.warnings(place)).toEqual({ [ID]: [WARNING] });
  expect(shadows.warnings(empty)).toEqual({});
  expect(changes).toEqual(['a']);
});

test('what was read is kept until others change it, and they cannot make it read more often than every five seconds', async () => {
  const place = await placeOf('a');
  shadows.begin();
  shadows.passed(place);
  await pass(1_000);
  for (let times = 0; times < 3; times++) {
    shadows.passed(place);
    await pass(2_000);
  }
  expect(read).toHaveLength(1);
  rules = [];
  for (let second = 0; second < 20; second++) {
    shadows.changed(place);
    await pass(1_000);
  }
  expect(read.length).toBeGreaterThanOrEqual(4);
  expect(read.length).toBeLessThanOrEqual(6);
  expect(shadows.warnings(place)).toEqual({});
  expect(changes).toEqual(['a', 'a']);
});

test('looking reads what changes without an event, and nothing else', async () => {
  const place = await placeOf('a');
  await shadows.look([place]);
  expect(shadows.warnings(place)).toEqual({ [ID]: [WARNING] });
  rules = [];
  await pass(6_000);
  await shadows.look([place]);
  expect(read).toHaveLength(1);
  silent = true;
  await shadows.look([place]);
  expect(read).toHaveLength(2);
  expect(shadows.warnings(place)).toEqual({});
  await shadows.look([place]);
  expect(read).toHaveLength(2);
});

test('a place that is forgotten is read no more, and one that cannot be read is named', async () => {
  const [gone, broken] = [await placeOf('gone'), await placeOf('broken')];
  shadows.begin();
  shadows.passed(gone);
  shadows.passed(broken);
  shadows.forget(gone);
  failing = true;
  await pass(2_000);
  expect(read).toEqual(['broken']);
  expect(warnings).toEqual(['broken']);
  expect(shadows.warnings(broken)).toEqual({});
  failing = false;
  shadows.changed(broken);
  await pass(6_000);
  expect(shadows.warnings(broken)).toEqual({ [ID]: [WARNING] });
});

test('a place that is forgotten while others are looked at is not read, and has no warnings any more', async () => {
  const [first, gone] = [await placeOf('first'), await placeOf('gone')];
  const looking = shadows.look([first, gone]);
  shadows.forget(gone);
  await looking;
  expect(read).toEqual(['first']);
  expect(shadows.warnings(gone)).toEqual({});
});

test.each([
  ['forgotten', () => shadows.forget(place)],
  ['stopped', () => void shadows.stop()],
])('what is %s while it is compared is not read once more', async (_, end) => {
  place = await placeOf('a');
  shadows.begin();
  shadows.passed(place);
  let answer = () => {};
  waiting = new Promise((resolve) => (answer = resolve));
  const looking = shadows.look([place]);
  await pass(1_000);
  shadows.changed(place);
  end();
  answer();
  await looking;
  await pass(10_000);
  expect(read).toEqual(['a']);
});

test('a status has room for a thousand forwards with warnings', async () => {
  const place = await placeOf(
    'a',
    Array.from({ length: 1_500 }, (_, at) => at + 1),
  );
  await shadows.look([place]);
  expect(Object.keys(shadows.warnings(place))).toHaveLength(1_000);
});

describe('a forward that comes while the others are compared', () => {
  let ports: number[];
  let place: Place;
  let looking: Promise<void>;

  beforeEach(async () => {
    ports = Array.from({ length: 200 }, (_, at) => at + 1);
    place = await placeOf('a', ports);
    shadows.begin();
    await pass(1_000);
    // So that others have a turn behind each of them.
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 20));
    looking = shadows.look([place]);
    await pass(0, 10);
    ports.push(1_000);
    place.mark('all');
    await place.pass();
    shadows.passed(place);
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('is compared behind them', async () => {
    await pass(3_000);
    await looking;
    await pass(3_000, 2 * ports.length);
    expect(shadows.warnings(place)[idOf(201)]).toEqual([WARNING]);
    expect(read).toEqual(['a']);
  });

  test('is compared before who looks then is answered', async () => {
    await shadows.look([place]);
    expect(shadows.warnings(place)[idOf(201)]).toEqual([WARNING]);
    await looking;
  });
});
