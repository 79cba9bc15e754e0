import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import { serveInstance } from '../../src/lab/instance.ts';

let port = 0;

beforeAll(async () => {
  port = await freePort();
  await serveInstance(port);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}

test('a TCP connection is told whom the instance sees, then hears what it says', async () => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe(`Hello from the instance; I see you as 127.0.0.1 port ${socket.localPort}.`);
  socket.write('echo\n');
  expect((await lines.next()).value).toBe('echo');
  socket.destroy();
});

test('a UDP datagram is answered', async () => {
  const socket = createSocket('udp4');
  socket.send('anybody?', port, '127.0.0.1');
  const [answer] = await once(socket, 'message');
  expect(String(answer)).toMatch(/I see you as 127\.0\.0\.1 port \d+\.\n$/);
  socket.close();
});

test('a port that is taken is an error', async () => {
  await expect(serveInstance(port)).rejects.toThrow('EADDRINUSE');
});
