import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { oneAtATime } from '../../../src/api/listen/one-at-a-time.ts';
import { closeSlowClients } from '../../../src/api/listen/slow-clients.ts';

const LIMIT = 200;

/** Answers after `delay`; `closed` tells how long a connection lasted. */
async function serve(
  delay: number,
  way = (listener: RequestListener) => listener,
): Promise<() => Promise<{ client: Socket; closed: Promise<number> }>> {
  const answer: RequestListener = (request, response) => {
    request.resume();
    setTimeout(() => response.end('x'), delay);
  };
  const server: Server = createServer(way(answer));
  closeSlowClients(server, LIMIT);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return async () => {
    const client = connect(port, '127.0.0.1');
    client.resume();
    const begun = performance.now();
    const closed = new Promise<number>((resolve) => {
      client.once('error', () => undefined);
      client.once('close', () => resolve(performance.now() - begun));
    });
    await new Promise<void>((resolve) => client.once('connect', () => resolve()));
    return { client, closed };
  };
}

/** Goes on sending this until it is cut off, a character at a time. */
async function trickle(client: Socket, text: string): Promise<void> {
  for (let at = 0; !client.destroyed && text !== ''; at++) {
    client.write(text.charAt(Math.min(at, text.length - 1)));
    await sleep(LIMIT / 8);
  }
}

test.for([
  ['nothing', ''],
  ['a head bit by bit', 'GET / HTTP/1.1\r\nx: x'],
])('a client that sends %s is cut off', async ([, head]) => {
  const open = await serve(0);
  const { client, closed } = await open();
  void trickle(client, head ?? '');
  const lasted = await closed;
  expect(lasted).toBeGreaterThan(LIMIT * 0.9);
});

test('so is one that sends its body bit by bit', async () => {
  const open = await serve(60_000);
  const { client, closed } = await open();
  client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n');
  void trickle(client, 'x');
  await closed;
});

test.for([
  ['without a body', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['with a body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx'],
  ['pipelined', 'GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n'],
])(
  'a request %s may wait for its answer as long as it takes, and then the connection owes the next',
  async ([, text]) => {
    const open = await serve(LIMIT * 3);
    const { client, closed } = await open();
    let received = '';
    client.on('data', (data) => {
      received += data.toString();
    });
    client.write(text ?? '');
    const lasted = await closed;
    expect(received).toMatch(/200 OK/);
    expect(lasted).toBeGreaterThan(LIMIT * 3.9);
  },
);

const BODY = 500_000;
const POST = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY}\r\n\r\n`;

test('the body of a request that waits for its turn is due when it has begun', async () => {
  const open = await serve(LIMIT * 3, oneAtATime);
  const { client, closed } = await open();
  let received = '';
  client.on('data', (data) => {
    received += data.toString();
  });
  client.write(`GET / HTTP/1.1\r\nhost: x\r\n\r\n${POST}${'x'.repeat(BODY)}`);
  await closed;
  expect(received.match(/200 OK/g)).toHaveLength(2);
});

test('and then it is due', async () => {
  const open = await serve(LIMIT * 3, oneAtATime);
  const { client, closed } = await open();
  client.write(`GET / HTTP/1.1\r\nhost: x\r\n\r\n${POST}`);
  const lasted = await closed;
  expect(lasted).toBeGreaterThan(LIMIT * 3.9);
});
