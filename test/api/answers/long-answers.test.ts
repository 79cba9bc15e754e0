import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ANSWER_LIMITS } from '../../../src/api/answers/answer-budget.ts';
import { spec } from '../../registry/specs.ts';
import { eventually as eventuallyWithin } from '../../support/eventually.ts';
import { type Bench, openBench, ROUTER } from '../api-under-test.ts';

const COUNT = 1_500;
const LABELS = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`label${at}`, 'x'.repeat(250)]));

const eventually = <Value>(check: () => Value | Promise<Value>) => eventuallyWithin(check, 100_000);

/** More than the kernel takes for a client that does not read. */
async function fill({ registry }: Bench, count = COUNT): Promise<void> {
  const wanted = Array.from({ length: count }, (_, at) => ({
    id: null,
    spec: spec({ router: ROUTER, external_port: at + 1, labels: LABELS }),
    times: null,
  }));
  await registry.forwards.apply({ wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false });
}

/** Clients that ask for the path and do not read, and the server's ends of their connections. */
async function askWithoutReading({ api }: Bench, path: string, clients: number): Promise<readonly Socket[]> {
  await api.listen({ host: '127.0.0.1', port: 0 });
  const address = api.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const served: Socket[] = [];
  api.server.on('connection', (socket) => served.push(socket));
  for (let n = 0; n < clients; n++) {
    const socket = connect(port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`.repeat(10));
  }
  await eventually(() => expect(served).toHaveLength(clients));
  return served;
}

test.each(['/v1/backup', '/v1/forwards?limit=10000', '/v1/forwards?limit=10000&sort=name'])(
  'of %s, no more is made than clients take',
  async (path) => {
    await using bench = await openBench();
    await fill(bench);
    const served = await askWithoutReading(bench, path, 4);
    await eventually(() => {
      for (const socket of served) expect(socket.writableNeedDrain).toBe(true);
    });
    for (const socket of served) expect(socket.writableLength).toBeLessThan(200_000);
  },
);

test.each(['/v1/backup', '/v1/forwards?limit=10000'])('%s in pieces is the whole document', async (path) => {
  await using bench = await openBench();
  await fill(bench, 300);
  const answer = await bench.api.inject(path);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  const one = (await bench.api.inject('/v1/forwards?limit=1')).json();
  const { forwards, ...rest } = answer.json();
  expect(forwards.map(({ external_port: port }: { external_port: string }) => Number(port)).toSorted(byNumber)).toEqual(
    Array.from({ length: 300 }, (_, at) => at + 1),
  );
  expect(rest.revision).toBe(one.revision);
  if (path.includes('forwards')) {
    expect(rest.next).toBeNull();
    expect(forwards[0]).toEqual(one.forwards[0]);
  }
});

function byNumber(a: number, b: number): number {
  return a - b;
}

test('at the bound, a list is refused with the time to try again, and changes and short answers are not', async () => {
  const answerLimits = { ...ANSWER_LIMITS, ofOwner: 600_000, inSum: 2_000_000, longestWait: 1 };
  await using bench = await openBench({ answerLimits });
  await fill(bench);
  const [unread] = await askWithoutReading(bench, '/v1/backup', 4);
  await eventually(async () => {
    const refused = await bench.api.inject('/v1/backup');
    expect([refused.statusCode, refused.headers['retry-after'], refused.json().code]).toEqual([
      503,
      '5',
      'answers_exhausted',
    ]);
  });
  expect((await bench.api.inject('/v1/forwards?limit=10')).statusCode).toBe(200);
  const forwards = [{ router: ROUTER, external_port: 1, internal_address: '192.168.50.11', internal_port: 22 }];
  const applied = await bench.api.inject({
    method: 'POST',
    url: '/v1/apply?wait=0',
    payload: { forwards, prune: 'all' },
  });
  expect([applied.statusCode, applied.json().changes.length]).toEqual([200, COUNT]);
  unread?.destroy();
});

test('an answer that was read makes room for the next', async () => {
  const answerLimits = { ...ANSWER_LIMITS, ofOwner: 300_000, inSum: 300_000 };
  await using bench = await openBench({ answerLimits });
  await fill(bench, 300);
  const answers = await Promise.all(Array.from({ length: 10 }, () => bench.api.inject('/v1/backup')));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
});

test('event streams that are not read hold next to nothing, and read the store once for all', async () => {
  let reads = 0;
  await using bench = await openBench({
    onWatch: () => {
      reads++;
    },
  });
  const served = await askWithoutReading(bench, '/v1/events', 20);
  await eventually(async () => expect((await bench.api.inject('/metrics')).body).toContain('hatoba_event_streams 20'));
  await fill(bench);
  await eventually(() => {
    for (const socket of served) expect(socket.writableNeedDrain).toBe(true);
  });
  for (const socket of served) expect(socket.writableLength).toBeLessThan(300_000);
  expect(reads).toBe(1);
  const [first] = served;
  first?.destroy();
  if (first !== undefined && !first.closed) await once(first, 'close');
});
