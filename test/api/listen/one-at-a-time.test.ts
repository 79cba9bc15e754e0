import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { oneAtATime } from '../../../src/api/listen/one-at-a-time.ts';
import { eventually } from '../../support/eventually.ts';

interface Served {
  readonly port: number;
  /** Those that the handler has begun with, by their paths. */
  readonly begun: readonly string[];
  readonly answer: (path: string) => void;
}

async function serve(): Promise<Served> {
  const open = new Map<string, [IncomingMessage, ServerResponse]>();
  const begun: string[] = [];
  const server = createServer(
    oneAtATime((request, response) => {
      begun.push(request.url ?? '');
      open.set(request.url ?? '', [request, response]);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    begun,
    answer: (path) => void open.get(path)?.[1].end(`answer to ${path};`),
  };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

function open(port: number) {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  const told = { text: '' };
  socket.on('data', (text: string) => {
    told.text += text;
  });
  return { socket, told };
}

test('of requests that come at once on a connection, the next begins when the one before is answered', async () => {
  const { port, begun, answer } = await serve();
  const { socket, told } = open(port);
  const paths = Array.from({ length: 17 }, (_, n) => `/${n}`);
  socket.write(paths.map(get).join(''));
  for (const [index, path] of paths.entries()) {
    await eventually(() => expect(begun).toEqual(paths.slice(0, index + 1)));
    answer(path);
  }
  await eventually(() => {
    expect(Array.from(told.text.matchAll(/answer to (\S+);/g), ([, path]) => path)).toEqual(paths);
  });
});

test('connections do not wait for each other', async () => {
  const { port, begun } = await serve();
  for (const path of ['/a', '/b']) open(port).socket.write(get(path));
  await eventually(() => expect([...begun].sort()).toEqual(['/a', '/b']));
});

test('a connection that is kept alive goes on', async () => {
  const { port, begun, answer } = await serve();
  const { socket, told } = open(port);
  for (const path of ['/a', '/b', '/c']) {
    socket.write(get(path));
    await eventually(() => expect(begun.at(-1)).toBe(path));
    answer(path);
    await eventually(() => expect(told.text).toContain(`answer to ${path};`));
  }
});

test('what waits on a connection that was closed is not begun with', async () => {
  const { port, begun } = await serve();
  const { socket } = open(port);
  socket.write(get('/a') + get('/b'));
  await eventually(() => expect(begun).toEqual(['/a']));
  socket.destroy();
  await pause(300);
  expect(begun).toEqual(['/a']);
});

test('a client that floods and does not read is cut off, and no more of it is begun with', async () => {
  const { port, begun } = await serve();
  const flood = connect(port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void flood.destroy());
  const cutOff = new Promise((resolve) => flood.once('close', resolve));
  while (!flood.destroyed) {
    flood.write(get('/').repeat(2_000));
    await pause(5);
  }
  await cutOff;
  expect(begun).toEqual(['/']);
  const { socket, told } = open(port);
  socket.write(get('/other'));
  await eventually(() => expect(begun).toEqual(['/', '/other']));
  expect(told.text).toBe('');
});
