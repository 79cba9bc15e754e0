import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createDoors } from '../../../src/api/access/doors.ts';
import { authenticateLoopback, authenticateSocket } from '../../../src/api/access/local-callers.ts';
import { listenOnSocket } from '../../../src/api/listen/socket.ts';
import { createTcpListener } from '../../../src/api/listen/tcp.ts';
import { spec } from '../../registry/specs.ts';
import { eventually } from '../../support/eventually.ts';
import { openBench } from '../api-under-test.ts';

/** Of the listener on TCP, and of one address on it. */
const MOST = 512;
const MOST_OF_ONE = 128;

async function openBoth(mostOfOneAddress = MOST_OF_ONE) {
  const doors = createDoors();
  const bench = await openBench({ authenticate: doors.authenticate, admit: doors.admit });
  doors.guard(bench.api.server, authenticateSocket);
  const tcp = createTcpListener(bench.api, doors, authenticateLoopback, {
    keyOf: (address) => address ?? null,
    mostOfOneAddress,
  });
  const path = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, path);
  const { port } = await tcp.listen({ host: '127.0.0.1', port: 0 });
  return {
    bench,
    port,
    /** One exchange on the socket: its status. */
    askOnSocket(): Promise<number | undefined> {
      return new Promise((resolve, reject) => {
        const asked = request({ socketPath: path, path: '/v1/forwards', agent: false }, (response) => {
          text(response).then(() => resolve(response.statusCode), reject);
        });
        asked.once('error', reject).end();
      });
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

/** From address number `from` of the loopback, of which each may have a part of the connections. */
function dial(port: number, from: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${from}` }).on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const HEAD = 'host: localhost\r\n';

/** What a client sends that keeps its connection as long as it can. */
const SLOW: Readonly<Record<string, string>> = {
  'is idle': '',
  'sends its headers slowly': `GET /v1/forwards HTTP/1.1\r\n${HEAD}x-a: `,
  'sends its body slowly': `POST /v1/forwards HTTP/1.1\r\n${HEAD}content-type: application/json\r\ncontent-length: 60000\r\n\r\n{`,
  'never reads': `GET /v1/forwards HTTP/1.1\r\n${HEAD}\r\n`.repeat(5),
};

test.each(Object.entries(SLOW))(
  'while each client on TCP %s, the socket answers, and TCP has room again when they go',
  async (_name, sent) => {
    await using both = await openBoth();
    for (let n = 0; n < 20; n++) await both.bench.registry.forwards.create(spec({ external_port: 10_000 + n }));
    const crowd = Array.from({ length: MOST }, (_, n) => dial(both.port, 10 + Math.floor(n / MOST_OF_ONE)));
    for (const socket of crowd) socket.write(sent);
    await eventually(() => expect(crowd.every(({ readyState }) => readyState === 'open')).toBe(true));

    const beyond = dial(both.port, 99);
    await new Promise((resolve) => beyond.once('close', resolve));
    for (let n = 0; n < 20; n++) expect(await both.askOnSocket()).toBe(200);

    for (const socket of crowd) socket.destroy();
    await eventually(async () => {
      const again = dial(both.port, 99);
      again.write(`GET /healthz HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`);
      expect(await text(again)).toContain('200 OK');
    });
  },
);

test('one address has a part of the connections, and leaves the rest to others', async () => {
  await using both = await openBoth();
  const crowd = Array.from({ length: MOST_OF_ONE + 20 }, () => dial(both.port, 10).resume());
  await eventually(() => expect(crowd.filter(({ destroyed }) => destroyed)).toHaveLength(20));
  const other = dial(both.port, 11);
  other.write(`GET /healthz HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`);
  expect(await text(other)).toContain('200 OK');
});

test('how many one address may have can be said', async () => {
  await using both = await openBoth(3);
  const crowd = Array.from({ length: 5 }, () => dial(both.port, 10).resume());
  await eventually(() => expect(crowd.filter(({ destroyed }) => destroyed)).toHaveLength(2));
});
