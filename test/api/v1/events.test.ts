import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { authenticateSocket } from '../../../src/api/access/local-callers.ts';
import type { Forward, ForwardInput } from '../../../src/model/forward.ts';
import { spec } from '../../registry/specs.ts';
import { eventually } from '../../support/eventually.ts';
import { type Bench, OTHER_ROUTER, openBench, publish, ROUTER, report } from '../api-under-test.ts';

interface Event {
  readonly event: string;
  readonly id: number | null;
  readonly data: Record<string, unknown>;
}

interface Stream {
  /** The next so many events. */
  take(count: number): Promise<readonly Event[]>;
  /** Events so far that nobody took. */
  rest(): readonly Event[];
  readonly ended: Promise<unknown>;
  close(): void;
}

async function listen({ api }: Bench): Promise<number> {
  await api.listen({ host: '127.0.0.1', port: 0 });
  const address = api.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function open(port: number, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
  const sent = request({ port, path: `/v1/events${query}`, headers });
  sent.end();
  const [response] = await once(sent, 'response');
  expect(response.headers['content-type']).toBe('text/event-stream');
  const events: Event[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop() ?? '';
    events.push(...blocks.flatMap(readBlock));
  });
  const ended = new Promise((resolve) => response.once('end', resolve));
  response.on('error', () => undefined);
  const stream: Stream = {
    async take(count) {
      while (events.length < count) await pause(2);
      return events.splice(0, count);
    },
    rest: () => events,
    ended,
    close: () => sent.destroy(),
  };
  onTestFinished(() => stream.close());
  return stream;
}

function readBlock(block: string): readonly Event[] {
  const fields = new Map(
    block.split('\n').map((line) => [line.split(': ')[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
  );
  const [event, data, id] = [fields.get('event'), fields.get('data'), fields.get('id')];
  if (event === undefined || data === undefined) return [];
  return [{ event, data: JSON.parse(data), id: id === undefined ? null : Number(id) }];
}

async function eventMetrics({ api }: Bench): Promise<readonly string[]> {
  const { body } = await api.inject('/metrics');
  return body.split('\n').filter((line) => line.startsWith('hatoba_event_'));
}

function create({ registry }: Bench, input: Partial<ForwardInput> = {}): Promise<Forward> {
  return registry.forwards.create(spec({ router: ROUTER, ...input }));
}

test('tells of forwards that come, change and go', async () => {
  await using bench = await openBench();
  const stream = await open(await listen(bench));
  const forward = await create(bench);
  const shown = async (path: string) => (await bench.api.inject(path)).json();
  expect(await stream.take(2)).toEqual([
    {
      event: 'forward',
      id: null,
      data: { id: forward.id, router: ROUTER, forward: await shown(`/v1/forwards/${forward.id}`) },
    },
    { event: 'router', id: forward.revision, data: { id: ROUTER, router: await shown(`/v1/routers/${ROUTER}`) } },
  ]);
  const revision = await bench.registry.forwards.remove(forward.id);
  expect(await stream.take(2)).toEqual([
    { event: 'forward', id: null, data: { id: forward.id, router: ROUTER, forward: null } },
    { event: 'router', id: revision, data: { id: ROUTER, router: null } },
  ]);
});

test('tells what a node reports: of the router, the node, and every problem', async () => {
  await using bench = await openBench();
  const forward = await create(bench);
  const stream = await open(await listen(bench));
  const problems = { [forward.id]: { state: 'pending' as const, message: 'no gateway' } };
  await publish(bench.registry, report(forward.revision, { problems }));
  const events = await stream.take(3);
  expect(events.map(({ event }) => event)).toEqual(['status', 'router', 'node']);
  expect(events[0]?.data).toMatchObject({
    router: ROUTER,
    node: 'n1',
    status: { problems, gateways: ['192.168.1.100'] },
  });
  expect(events[1]?.data).toEqual({ id: ROUTER, router: (await bench.api.inject(`/v1/routers/${ROUTER}`)).json() });
  expect(events[2]?.data).toEqual({ name: 'n1', routers: 1 });
  expect(events.map(({ id }) => id)).toEqual([null, null, bench.registry.forwards.revision()]);
  await bench.registry.forwards.remove(forward.id);
  await bench.registry.statuses.publish('n1', [], [ROUTER]);
  const [, , ...last] = await stream.take(5);
  expect(last.map(({ data }) => data)).toEqual([
    { router: ROUTER, node: 'n1', status: null },
    { id: ROUTER, router: null },
    { name: 'n1', routers: 0 },
  ]);
});

test('nothing is lost between a list and the events after it', async () => {
  await using bench = await openBench();
  const port = await listen(bench);
  const first = await create(bench);
  const list = (await bench.api.inject('/v1/forwards')).json();
  const second = await create(bench, { external_port: 5002 });
  const stream = await open(port, `?after=${list.revision}`);
  const third = await create(bench, { external_port: 5003 });
  const told = (await stream.take(4)).filter(({ event }) => event === 'forward');
  expect(told.map(({ data }) => data['id'])).toEqual([second.id, third.id]);
  expect(list.forwards.map(({ id }: { id: string }) => id)).toEqual([first.id]);
});

test.for(['routers', 'nodes'])('nothing is lost between a list of %s and the events after it', async (things) => {
  await using bench = await openBench();
  await create(bench);
  const list = (await bench.api.inject(`/v1/${things}`)).json();
  await create(bench, { router: OTHER_ROUTER });
  await publish(bench.registry, report(1, { node: 'n2' }));
  const stream = await open(await listen(bench), `?after=${list.revision}`);
  expect((await stream.take(5)).map(({ event, data }) => [event, data['id'] ?? data['node'] ?? data['name']])).toEqual([
    ['forward', expect.any(String)],
    ['router', OTHER_ROUTER],
    ['status', 'n2'],
    ['router', ROUTER],
    ['node', 'n2'],
  ]);
});

test('who was cut off goes on where it was', async () => {
  await using bench = await openBench();
  const port = await listen(bench);
  const before = await open(port);
  await create(bench);
  const [, seen] = await before.take(2);
  before.close();
  const missed = await create(bench, { external_port: 5002 });
  const after = await open(port, '?after=0', { 'last-event-id': String(seen?.id) });
  expect((await after.take(1)).map(({ data }) => data['id'])).toEqual([missed.id]);
});

test.for([
  { what: 'is too long ago', after: 1, changes: 20 },
  { what: 'has not been yet', after: 5_000, changes: 1 },
])('who asks for what $what is told to read everything again, and goes on from there', async ({ after, changes }) => {
  await using bench = await openBench({ keptRevisions: 10 });
  const port = await listen(bench);
  for (let at = 1; at <= changes; at++) await create(bench, { external_port: at });
  const revision = bench.registry.forwards.revision();
  const stream = await open(port, `?after=${after}`);
  expect(await stream.take(1)).toEqual([{ event: 'reset', id: revision, data: { revision } }]);
  const next = await create(bench, { external_port: 6000 });
  expect((await stream.take(1)).map(({ data }) => data['id'])).toEqual([next.id]);
});

test('a router can be asked for alone', async () => {
  await using bench = await openBench();
  const stream = await open(await listen(bench), `?router=qrouter-${ROUTER}`);
  await create(bench, { router: OTHER_ROUTER });
  await publish(bench.registry, report(1, { router: OTHER_ROUTER }));
  const own = await create(bench);
  expect((await stream.take(2)).map(({ data }) => data['id'])).toEqual([own.id, ROUTER]);
  expect(stream.rest()).toEqual([]);
});

test('the end of the API ends the streams at once', async () => {
  await using bench = await openBench();
  const stream = await open(await listen(bench));
  await bench.api.close();
  await stream.ended;
});

test('nothing is kept of a client that goes while it is found out who asks', async () => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('no garbage is collected');
  const isKnown = Promise.withResolvers<void>();
  const held: WeakRef<object>[] = [];
  await using bench = await openBench({
    async authenticate(request) {
      held.push(new WeakRef(request.raw));
      await isKnown.promise;
      return authenticateSocket(request);
    },
  });
  const sockets: Socket[] = [];
  bench.api.server.on('connection', (socket) => sockets.push(socket));
  const client = connect(await listen(bench), '127.0.0.1').on('error', () => undefined);
  client.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => expect(held).toHaveLength(1));
  client.destroy();
  await eventually(() => expect(sockets[0]?.closed).toBe(true));
  sockets.pop();
  isKnown.resolve();
  await eventually(() => {
    collect();
    expect(held[0]?.deref()).toBeUndefined();
  });
});

test('who does not read holds nothing up, and next to nothing in memory, and is told of in the metrics', async () => {
  await using bench = await openBench();
  const sockets: Socket[] = [];
  bench.api.server.on('connection', (socket) => sockets.push(socket));
  const port = await listen(bench);
  const lazy = connect(port, '127.0.0.1').pause();
  onTestFinished(() => void lazy.destroy());
  lazy.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(async () => expect(sockets).toHaveLength(1));
  const stream = await open(port);
  const labels = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`label${at}`, 'x'.repeat(250)]));
  const wanted = Array.from({ length: 1_500 }, (_, at) => ({
    id: null,
    spec: spec({ router: ROUTER, external_port: at + 1, labels }),
    times: null,
  }));
  const batch = { wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false } as const;
  const { revision } = await bench.registry.forwards.apply(batch);
  for (let newest = 0; newest !== revision; ) newest = (await stream.take(1))[0]?.id ?? 0;
  expect(sockets[0]?.writableLength).toBeGreaterThan(0);
  expect(sockets[0]?.writableLength).toBeLessThan(200_000);
  expect(await eventMetrics(bench)).toEqual([
    'hatoba_event_streams 2',
    'hatoba_event_lag_revisions 1',
    expect.stringMatching(/^hatoba_event_lag_seconds 0?\.?\d*[1-9]/),
  ]);
  lazy.destroy();
  const nobodyBehind = ['hatoba_event_streams 1', 'hatoba_event_lag_revisions 0', 'hatoba_event_lag_seconds 0'];
  await eventually(async () => expect(await eventMetrics(bench)).toEqual(nobodyBehind));
});

test.for([
  ['?after=x', {}],
  ['?router=..', {}],
  ['?every=1', {}],
  ['', { 'last-event-id': '1; 2' }],
] as const)('refuses %s with %o', async ([query, headers]) => {
  await using bench = await openBench();
  const answer = await bench.api.inject({ path: `/v1/events${query}`, headers });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().code).toMatch(/malformed/);
});
