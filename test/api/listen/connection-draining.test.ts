import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createDoors } from '../../../src/api/access/doors.ts';
import { authenticateLoopback, authenticateSocket } from '../../../src/api/access/local-callers.ts';
import { trackConnections } from '../../../src/api/listen/connection-draining.ts';
import { type KeyPair, readKeyPair } from '../../../src/api/listen/key-pair.ts';
import { listenOnSocket } from '../../../src/api/listen/socket.ts';
import { createTcpListener } from '../../../src/api/listen/tcp.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { openBench, publish, report, wish } from '../api-under-test.ts';

let directory: string;
let pair: KeyPair;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-draining-'));
  pair = await readKeyPair(makeCertificate(directory, 'one'));
});
afterAll(() => rmSync(directory, { recursive: true }));

// Every other limit of a connection is a timer, which then never expires: only the draining can end one.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] }));
afterEach(() => void vi.useRealTimers());

const LISTENERS = ['socket', 'tcp', 'tls'] as const;
type Listener = (typeof LISTENERS)[number];

/** The API on all listeners; `end` resolves when a stop has closed every connection. */
async function serve() {
  const doors = createDoors();
  const bench = await openBench({ authenticate: doors.authenticate });
  onTestFinished(() => bench[Symbol.asyncDispose]());
  doors.guard(bench.api.server, authenticateSocket);
  const plain = createTcpListener(bench.api, doors, authenticateLoopback);
  const secure = createTcpListener(bench.api, doors, authenticateLoopback, { keyPair: pair });
  const path = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, path);
  const address = { host: '127.0.0.1', port: 0 };
  const ports = { tcp: (await plain.listen(address)).port, tls: (await secure.listen(address)).port };

  const open = async (listener: Listener): Promise<Socket> => {
    const socket =
      listener === 'socket'
        ? connect(path)
        : listener === 'tcp'
          ? connect(ports.tcp, '127.0.0.1')
          : connectTls({ port: ports.tls, host: '127.0.0.1', ca: pair.cert, checkServerIdentity: () => undefined });
    onTestFinished(() => void socket.destroy());
    // A reset is as good an end as any.
    socket.on('error', () => undefined);
    await once(socket, listener === 'tls' ? 'secureConnect' : 'connect');
    return socket;
  };

  return {
    bench,
    ports,
    open,
    end: async () => {
      await bench.api.close();
      await Promise.all([plain.ended(), secure.ended()]);
    },
  };
}

/** Also where the end is a reset. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

const HEAD = 'POST /v1/forwards HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n';

const UNFINISHED = {
  'nothing at all': '',
  'a part of a request line': 'GET /hea',
  'a part of a head': HEAD,
  'a head without its body': `${HEAD}content-length: 100\r\n\r\n`,
  'a part of a body': `${HEAD}content-length: 100\r\n\r\n{"router":`,
  'a part of a chunked body': `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n{"rou`,
};

test.each(LISTENERS.flatMap((listener) => Object.entries(UNFINISHED).map((each) => [listener, ...each] as const)))(
  'a connection by %s on which %s has come does not delay the end',
  async (listener, _what, text) => {
    const { open, end } = await serve();
    const socket = await open(listener);
    socket.resume();
    if (text !== '') await new Promise<void>((resolve) => void socket.write(text, () => resolve()));
    const closed = closing(socket);
    await end();
    await closed;
  },
  20_000,
);

test.each(LISTENERS)(
  'neither does one by %s that has had an answer, and sent a part of the next request',
  async (listener) => {
    const { open, end } = await serve();
    const socket = await open(listener);
    socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await once(socket, 'data');
    socket.write('GET /hea');
    const closed = closing(socket.resume());
    await end();
    await closed;
  },
  20_000,
);

test('neither does a connection that has not begun with TLS, nor one in the middle of its handshake', async () => {
  const { ports, end } = await serve();
  const sockets = ['', '\u0016\u0003\u0001'].map((begun) => {
    const socket = connect(ports.tls, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.write(begun, 'latin1');
    return socket.resume();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const closed = sockets.map((socket) => closing(socket));
  await end();
  await Promise.all(closed);
});

test.each(LISTENERS)(
  'a request by %s that is under way is answered, and then its connection is closed',
  async (listener) => {
    const { bench, open, end } = await serve();
    await publish(bench.registry, report(0));
    const socket = await open(listener);
    const body = JSON.stringify(wish());
    const head = HEAD.replace('/v1/forwards', '/v1/forwards?wait=60');
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
    await eventually(() => expect(bench.registry.forwards.list()).toHaveLength(1));
    let told = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const closed = closing(socket);
    await end();
    await closed;
    expect(told).toMatch(/^HTTP\/1\.1 201 /);
  },
  20_000,
);

test('a client that does not read its answer is waited for no longer than a bound', async () => {
  const server = createServer((_request, response) => void response.end(Buffer.alloc(64 * 1024 * 1024)));
  const connections = trackConnections(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined).pause();
  socket.write('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  const [accepted] = await once(server, 'connection');
  await eventually(() => expect(accepted.writableNeedDrain).toBe(true));
  let isEnded = false;
  server.close(() => {
    isEnded = true;
  });
  connections.begin();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(isEnded).toBe(false);
  await vi.advanceTimersByTimeAsync(6_000);
  while (!isEnded) await new Promise(setImmediate);
});
