import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LocalNode } from '../../src/api/local-node.ts';
import { createClient } from '../../src/cli/client.ts';
import type { Screen, ScreenSize } from '../../src/cli/context.ts';
import { displayWidth } from '../../src/cli/output/text.ts';
import { createObserver, type Look } from '../../src/cli/top/look.ts';
import { formatCount, formatRate } from '../../src/cli/top/numbers.ts';
import { ratesBetween, sumRates } from '../../src/cli/top/rates.ts';
import { SORT_KEYS, sortRows, type TopRow } from '../../src/cli/top/rows.ts';
import { drawTop, type TopView } from '../../src/cli/top/view.ts';
import { watchTop } from '../../src/cli/top/watch.ts';
import type { Counters, Status } from '../../src/client/operations.ts';
import { OTHER_ROUTER, publish, ROUTER, report } from '../api/api-under-test.ts';
import { openCliBench, runWords } from './cli-under-test.ts';

const SILENT = { write: () => undefined };

test.each([
  [0, '0'],
  [0.01, '<0.1'],
  [0.05, '0.1'],
  [0.5, '0.5'],
  [1, '1'],
  [1.04, '1.0'],
  [9.94, '9.9'],
  [9.96, '10'],
  [99.6, '100'],
  [999.4, '999'],
  [999.6, '1.0k'],
  [1000, '1.0k'],
  [12_345, '12k'],
  [999_600, '1.0M'],
  [345_000_000, '345M'],
  [1e12, '1.0T'],
  [1e21, '1000000P'],
])('%d a second is %s', (value, text) => expect(formatRate(value)).toBe(text));

test('a rate is short and near to what it says', () => {
  const suffixes = ['', 'k', 'M', 'G', 'T', 'P'];
  fc.assert(
    fc.property(fc.double({ min: 0.1, max: 1e15, noNaN: true }), (value) => {
      const text = formatRate(value);
      const [, digits = '', suffix = ''] = /^([\d.]+)([kMGTP]?)$/.exec(text) ?? [];
      const said = Number(digits) * 1000 ** suffixes.indexOf(suffix);
      expect(text.length).toBeLessThanOrEqual(4);
      expect(Math.abs(said - value)).toBeLessThanOrEqual(Math.max(0.051, value * 0.051));
    }),
  );
});

test.each([
  [99_999, '99999'],
  [100_000, '100k'],
])('%d are %s', (value, text) => expect(formatCount(value)).toBe(text));

function counted(forward: string, differences: Partial<Counters> = {}): Counters {
  const nothing = { packets_in: null, bytes_in: null, packets_out: null, bytes_out: null };
  return { forward, router: ROUTER, node: 'n1', connections: 0, ...nothing, last_used: null, live: 0, ...differences };
}

describe('rates between two samples', () => {
  const between = (before: readonly Counters[], after: readonly Counters[]) =>
    ratesBetween({ at: 1000, counters: before }, { at: 3000, counters: after });

  test('are for each second', () => {
    const traffic = { packets_in: 10, bytes_in: 1000, packets_out: 5, bytes_out: 5000 };
    expect(
      between([counted('f', traffic)], [counted('f', { ...traffic, connections: 3, bytes_in: 2000, live: 7 })]),
    ).toEqual([
      { forward: 'f', live: 7, connections: 1.5, packets_in: 0, bytes_in: 500, packets_out: 0, bytes_out: 0 },
    ]);
  });

  test('of what is new, or has begun anew, count from 0; never below', () => {
    const [renewed, added] = between(
      [counted('f', { connections: 10, bytes_in: 9000 })],
      [counted('f', { connections: 4, bytes_in: 400 }), counted('g', { connections: 2 })],
    );
    expect(renewed).toMatchObject({ connections: 2, bytes_in: 200 });
    expect(added).toMatchObject({ connections: 1, bytes_in: null });
    expect(between([counted('f', { bytes_in: 9 })], [counted('f', { bytes_in: 3 })])).toMatchObject([{ bytes_in: 0 }]);
  });

  test('are added up; what nobody counts is null', () => {
    const rates = between([], [counted('f', { connections: 2, live: 1 }), counted('g', { live: 2, bytes_in: 8 })]);
    expect(sumRates(rates)).toEqual({
      live: 3,
      connections: 1,
      packets_in: null,
      bytes_in: 4,
      packets_out: null,
      bytes_out: null,
    });
  });
});

function row(forward: string, differences: Partial<TopRow> = {}): TopRow {
  return {
    forward,
    name: null,
    router: ROUTER,
    protocol: 'tcp',
    external: '192.168.1.100:5001',
    internal: '192.168.50.11:22',
    live: 0,
    connections_per_second: 0,
    packets_in_per_second: 0,
    bytes_in_per_second: 0,
    packets_out_per_second: 0,
    bytes_out_per_second: 0,
    ...differences,
  };
}

describe('sorting', () => {
  const rows = [
    row('f', { name: 'quiet' }),
    row('g', { name: 'many', live: 9, bytes_in_per_second: 1 }),
    row('h', { name: 'also quiet' }),
    row('j', { connections_per_second: 5, bytes_out_per_second: 8 }),
  ];
  test.each([
    ['live', false, 'ghjf'],
    ['live', true, 'hjfg'],
    ['new', false, 'jhgf'],
    ['in', false, 'ghjf'],
    ['out', false, 'jhgf'],
    ['name', false, 'hjgf'],
    ['name', true, 'fgjh'],
  ] as const)('by %s, reversed %s', (key, reversed, order) => {
    expect(
      sortRows(rows, key, reversed)
        .map(({ forward }) => forward)
        .join(''),
    ).toBe(order);
  });
});

const STATUS: Status = {
  version: '0.1.0',
  node: 'n1',
  roles: ['api', 'agent'],
  started_at: '2026-01-02T03:04:05.000Z',
  store: 'sqlite:store.db',
  store_trouble: null,
  orphaned: { forwards: 0, routers: 0 },
  driver: 'libnftables',
  revision: 3,
  listing_revision: 2,
  routers: 1,
  forwards: { total: 2, active: 2, pending: 0, waiting: 0, disabled: 0, expired: 0, error: 0 },
  forwards_with_warnings: 0,
  forwards_in_error: [],
  routers_in_error: [],
  connection_tracking: null,
};

function viewOf(rows: readonly TopRow[], differences: Partial<TopView> = {}): TopView {
  const total = { live: 3, connections: 1.5, packets_in: 10, bytes_in: 1234, packets_out: 9, bytes_out: 99_000 };
  return { status: STATUS, rows, total, sort: 'live', reversed: false, interval: 2, trouble: null, ...differences };
}

describe('the screen', () => {
  const rows = [
    row('11111111-1111-4111-8111-111111111111', { name: 'ssh', live: 1, bytes_in_per_second: 1234 }),
    row('22222222-2222-4222-8222-222222222222', { live: 2, external: '[2001:db8::1]:53', protocol: 'udp' }),
  ];

  test('has what there is, the busiest first', () => {
    expect(drawTop(viewOf(rows), { columns: 140, rows: 30 })).toEqual([
      'hatoba 0.1.0 on n1: routers 1, forwards 2 (2 active)',
      'live 3   new 1.5/s   in 10 pkt/s 1.2k B/s   out 9 pkt/s 99k B/s',
      'every 2 s, by live   l n i o f: sort by live, new, in, out, name   r: reverse   q: quit',
      'FORWARD   LIVE  NEW/S  IN PKT/S  IN B/S  OUT PKT/S  OUT B/S  OUTSIDE                 INSIDE            ROUTER'.padEnd(
        140,
      ),
      '22222222     2      0         0       0          0        0  [2001:db8::1]:53/udp    192.168.50.11:22  9a8b7c6d',
      'ssh          1      0         0    1.2k          0        0  192.168.1.100:5001/tcp  192.168.50.11:22  9a8b7c6d',
    ]);
  });

  test('without packets and bytes where nobody counts them', () => {
    const total = { live: 3, connections: 1.5, packets_in: null, bytes_in: null, packets_out: null, bytes_out: null };
    const lines = drawTop(viewOf(rows, { total }), { columns: 100, rows: 30 });
    expect(lines[1]).toBe('live 3   new 1.5/s   packets and bytes are not counted');
    expect(lines[3]?.trimEnd()).toBe('FORWARD   LIVE  NEW/S  OUTSIDE                 INSIDE            ROUTER');
  });

  test('says what is below, and what is wrong', () => {
    expect(drawTop(viewOf(rows), { columns: 100, rows: 5 })[2]).toMatch(/^every 2 s, by live; 1 more below {3}/);
    expect(drawTop(viewOf(rows, { trouble: 'no daemon answers' }), { columns: 100, rows: 5 })[2]).toBe(
      'no daemon answers',
    );
  });

  test('fits, whatever its size and whatever is on it', () => {
    const names = fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }));
    const many = fc.array(
      fc.record({ name: names, live: fc.nat(), bytes: fc.double({ min: 0, max: 1e15, noNaN: true }) }),
      { maxLength: 40 },
    );
    const keys = fc.constantFrom(...SORT_KEYS);
    const size = fc.record({ columns: fc.integer({ min: 0, max: 200 }), rows: fc.integer({ min: 0, max: 50 }) });
    fc.assert(
      fc.property(many, keys, size, fc.option(fc.string()), (wanted, sort, { columns, rows: height }, trouble) => {
        const all = wanted.map(({ name, live, bytes }, index) =>
          row(`${index}`.padStart(8, '0'), { name, live, bytes_in_per_second: bytes }),
        );
        const lines = drawTop(viewOf(all, { sort, trouble }), { columns, rows: height });
        expect(lines.length).toBe(Math.min(height, all.length + 4));
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });
});

/** A screen on which somebody presses these keys, one after the other has been drawn. */
function screenWith(events: readonly (string | null)[], size: ScreenSize = { columns: 80, rows: 10 }) {
  const waiting = [...events];
  const drawn: (readonly string[])[] = [];
  const screen: Screen = {
    size: () => size,
    draw: (lines) => drawn.push(lines),
    next: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      const event = waiting.shift();
      return event === undefined ? 'end' : event;
    },
    tell: () => {},
    [Symbol.dispose]: () => {},
  };
  return { screen, drawn };
}

describe('watching', () => {
  const look = (at: number, connections: number): Look => ({
    sample: { at, counters: [counted('f', { connections })] },
    status: STATUS,
    forwards: new Map(),
  });
  const settings = { interval: 2, sort: 'live' } as const;

  test('draws what was counted since the look before', async () => {
    const { screen, drawn } = screenWith([null, 'looked', 'q']);
    await watchTop(screen, { look: async () => look(2000, 8) }, look(0, 0), settings);
    expect(drawn.map((lines) => lines[1])).toEqual([
      expect.stringContaining('new 0/s'),
      expect.stringContaining('new 0/s'),
      expect.stringContaining('new 4/s'),
    ]);
  });

  test('goes on when the daemon does not answer', async () => {
    const answers = [() => Promise.reject(new Error('no daemon answers')), () => Promise.resolve(look(4000, 8))];
    const { screen, drawn } = screenWith([null, 'looked', null, 'looked', 'q']);
    await watchTop(screen, { look: async () => answers.shift()?.() ?? look(0, 0) }, look(0, 0), settings);
    expect(drawn[2]?.[2]).toBe('no daemon answers; asking again every 2 s');
    expect(drawn.at(-1)?.[1]).toContain('new 2/s');
  });

  test('sorts by what is pressed', async () => {
    const { screen, drawn } = screenWith([null, 'looked', 'o', 'r', 'x', 'resize', 'f', 'end']);
    await watchTop(screen, { look: async () => look(2000, 8) }, look(0, 0), settings);
    const orders = drawn.slice(2).map((lines) => /by ([^ ]+( reversed)?) {3}/.exec(lines[2] ?? '')?.[1]);
    expect(orders).toEqual(['live', 'out', 'out, reversed', 'out, reversed', 'out, reversed', 'name']);
  });
});

test('forwards are listed again only when they are not what they were', async () => {
  await using bench = await openCliBench();
  await bench.run('forward', 'add', '--no-wait', '--router', ROUTER, '--name', 'ssh', '5001', '192.168.50.11:22');
  const client = createClient(
    { process: { stdout: SILENT, stderr: SILENT }, env: {}, cwd: () => '/' },
    { socket: bench.socket },
  );
  let lists = 0;
  const listForwards: typeof client.listForwards = (filter) => {
    lists++;
    return client.listForwards(filter);
  };
  const observer = createObserver({ ...client, listForwards }, undefined);
  const namesSeen = async () => [...(await observer.look()).forwards.values()].map(({ name }) => name);
  await publish(bench.registry, report(0));
  expect(await namesSeen()).toEqual(['ssh']);
  for (let revision = 1; revision < 5; revision++) {
    await publish(bench.registry, report(revision));
    expect(await namesSeen()).toEqual(['ssh']);
  }
  expect(lists).toBe(1);
  await bench.run('forward', 'set', '--no-wait', 'ssh', '--name', 'web');
  expect(await namesSeen()).toEqual(['web']);
  expect(lists).toBe(2);
});

describe('where nobody watches, one look is printed', () => {
  async function openTopBench() {
    let connections = 0;
    const counters: LocalNode['counters'] = async (router) => {
      if (router !== ROUTER) return [];
      connections += 10;
      const counts = { connections, in: null, out: null, lastUsed: null };
      return bench.registry.forwards.list().map(({ id }) => ({ forward: id, ...counts }));
    };
    const liveFlows: LocalNode['liveFlows'] = async () =>
      new Map(bench.registry.forwards.list().map(({ id }, index) => [id, index]));
    const bench = await openCliBench({ counters, liveFlows });
    await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
    const add = ['forward', 'add', '--no-wait', '--router', ROUTER, '--name'] as const;
    await bench.run(...add, 'ssh', '5001', '192.168.50.11:22');
    await bench.run(...add, 'web', '5002', '192.168.50.12:80');
    return bench;
  }

  test('as a table, the busiest first', async () => {
    await using bench = await openTopBench();
    const { stdout, stderr, exit } = await bench.run('top', '--interval', '0.1');
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
    expect(stdout.replaceAll(/\b\d+ {2,}-/g, '<rate>  -')).toBe(
      `FORWARD  PROTOCOL  EXTERNAL            INTERNAL          LIVE  NEW/S  IN B/S  OUT B/S
web      tcp       192.168.1.100:5002  192.168.50.12:80  1     <rate>  -       -
ssh      tcp       192.168.1.100:5001  192.168.50.11:22  0     <rate>  -       -
`,
    );
  });

  test('for programs, and of one router', async () => {
    await using bench = await openTopBench();
    const words = ['top', '--interval', '0.1', '--sort', 'name', '-o', 'json'] as const;
    const rows: unknown = JSON.parse((await bench.run(...words, '--router', ROUTER)).stdout);
    expect(rows).toMatchObject([
      { name: 'ssh', router: ROUTER, external: '192.168.1.100:5001', live: 0, bytes_in_per_second: null },
      { name: 'web', internal: '192.168.50.12:80', live: 1 },
    ]);
    expect((await bench.run(...words, '--router', OTHER_ROUTER)).stdout).toBe('[]\n');
  });

  test.each(['0', '0.01', '3601', '-1', '1e3', ''])('--interval=%s is refused', async (interval) => {
    await using bench = await openCliBench();
    const { stdout, exit } = await bench.run('top', `--interval=${interval}`);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
  });

  test('without a daemon it ends at once', async () => {
    expect(await runWords(['top', '--socket', '/nowhere.sock'])).toMatchObject({ stdout: '', exit: 6 });
  });
});
