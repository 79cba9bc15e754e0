import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { inTurns } from '../../../src/api/listen/in-turns.ts';
import { eventually } from '../../support/eventually.ts';

const CROWD = 30;
const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** So many connections to a server of its own. */
async function serve(listener: RequestListener, count: number): Promise<readonly Socket[]> {
  const server = createServer(listener);
  let accepted = 0;
  server.on('connection', () => accepted++);
  const port = await listen(server);
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').resume());
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await eventually(() => expect(accepted).toBe(count));
  return sockets;
}

/** A clock that goes on by a little each time it is read, so that whatever is measured by it depends on no machine. */
function createClock(): { readonly now: () => number; readonly pass: (milliseconds: number) => void } {
  let now = 0;
  return {
    now: () => (now += 0.01),
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** Blocks this thread until the kernel has brought everything that was written to these ports of a server, or by them. */
function waitForArrival(ports: readonly number[]): void {
  const hex = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0')));
  // proc(5): sl, local address, remote address, state, bytes not yet acknowledged : bytes not yet read.
  const isUnderWay = (line: string) => {
    const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/);
    const isOurs = [local, remote].some((end) => hex.has(end.slice(-4)));
    return isOurs && !queues.startsWith('00000000:');
  };
  // Only the former count: a listening socket has its backlog where others have what is not yet read.
  while (readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1).some(isUnderWay));
}

/** How many of a crowd's requests are begun with before one at another server, sent at the same time, is. */
async function ahead(way: (listener: RequestListener) => RequestListener): Promise<number> {
  const begun: string[] = [];
  const crowd = await serve(
    way((_request, response) => {
      begun.push('crowd');
      response.end();
    }),
    CROWD,
  );
  const [other] = await serve((_request, response) => {
    begun.push('other');
    response.end();
  }, 1);
  const sockets = [...crowd, ...(other === undefined ? [] : [other])];
  for (const socket of sockets) socket.write(REQUEST);
  waitForArrival(sockets.map(({ localPort }) => localPort ?? 0));
  await eventually(() => expect(begun).toHaveLength(CROWD + 1));
  return begun.indexOf('other');
}

test('a request that comes by another listener waits for few of a crowd, and the crowd is served', async () => {
  expect(await ahead(inTurns)).toBeLessThan(5);
});

/** Those of a crowd with one token come before one with another. */
function withToken(at: number): string {
  const token = at < CROWD ? 'x-auth-token: crowd' : 'authorization: Bearer other';
  return REQUEST.replace('/ ', `/${at} `).replace('\r\n\r\n', `\r\n${token}\r\n\r\n`);
}

/** Each takes as long as many turns of the event loop. */
function noting(begun: unknown[]): RequestListener {
  const { now, pass } = createClock();
  return inTurns(({ url, headers }, response) => {
    begun.push(headers.authorization === undefined ? url : 'other');
    pass(5);
    response.end();
  }, now);
}

test('one with another token waits for few of a crowd with one, which are begun with in their order', async () => {
  const begun: unknown[] = [];
  const sockets = await serve(noting(begun), CROWD + 1);
  sockets.forEach((socket, at) => {
    socket.write(withToken(at));
  });
  waitForArrival(sockets.map(({ localPort }) => localPort ?? 0));
  await eventually(() => expect(begun).toHaveLength(CROWD + 1));
  expect(begun.indexOf('other')).toBeLessThan(5);
});

test('so does one whose connection waits behind those of the crowd', async () => {
  const begun: unknown[] = [];
  const port = await listen(createServer(noting(begun)));
  const texts = Array.from({ length: CROWD + 1 }, (_, at) => withToken(at));
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const crowd = new Worker(CROWD_THREAD, { eval: true, workerData: { port, texts, sent } });
  // Meanwhile, this thread takes no connection.
  while (Atomics.load(sent, 0) < texts.length) Atomics.wait(sent, 0, Atomics.load(sent, 0), 1_000);
  waitForArrival([port]);
  await eventually(() => expect(begun).toHaveLength(CROWD + 1));
  expect(begun.indexOf('other')).toBeLessThan(5);
  await crowd.terminate();
});

const CROWD_THREAD = `
  const { connect } = require('node:net');
  const { port, texts, sent } = require('node:worker_threads').workerData;
  const next = (at) => {
    const socket = connect(port, '127.0.0.1').resume();
    socket.write(texts[at], () => {
      Atomics.add(sent, 0, 1);
      Atomics.notify(sent, 0);
      if (at + 1 < texts.length) next(at + 1);
    });
  };
  next(0);
`;

test('who goes on coming holds up nobody, however long it was quiet before', async () => {
  const turns = 100;
  const { now, pass } = createClock();
  let begun = 0;
  const take = inTurns(() => {
    begun++;
  }, now);
  const done = Promise.withResolvers<void>();
  const [socket] = await serve((request, response) => {
    if (request.url === '/quiet') take(request, response);
    else come(turns);
    response.end();

    function come(more: number): void {
      take(request, response);
      if (more > 0) setImmediate(come, more - 1);
      else done.resolve();
    }
  }, 1);
  socket?.write(REQUEST.replace('/', '/quiet'));
  await eventually(() => expect(begun).toBe(1));
  pass(300);
  socket?.write(REQUEST);
  await done.promise;
  expect(begun).toBeGreaterThan(turns / 10);
});

test('it would wait for the whole crowd', async () => {
  expect(await ahead((listener) => listener)).toBeGreaterThan(CROWD / 2);
});

test('nothing is begun for who has gone before the turn came', async () => {
  const begun: string[] = [];
  const take = inTurns(({ url = '' }, response) => {
    begun.push(url);
    response.end();
  });
  const [gone, there] = await serve((request, response) => {
    take(request, response);
    if (request.url === '/gone') request.socket.destroy();
  }, 2);
  gone?.write(REQUEST.replace('/', '/gone'));
  if (gone !== undefined) await once(gone, 'close');
  there?.write(REQUEST.replace('/', '/there'));
  await eventually(() => expect(begun.at(-1)).toBe('/there'));
  expect(begun).toEqual(['/there']);
});
