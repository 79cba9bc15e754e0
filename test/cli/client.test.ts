import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/cli/client.ts';
import { openBench } from '../api/api-under-test.ts';
import { type Outcome, runWords } from './cli-under-test.ts';

let directory: string;
let socket: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatoba-cli-'));
  socket = join(directory, 'hatoba.sock');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Does the work while the server listens in a daemon's place. */
async function whileListening<Value>(server: Server, work: () => Promise<Value>): Promise<Value> {
  server.listen(socket);
  await once(server, 'listening');
  try {
    return await work();
  } finally {
    server.close();
    await once(server, 'close');
  }
}

function runAgainst(answer: RequestListener): Promise<Outcome> {
  return whileListening(createHttpServer(answer), () => runWords(['status'], { env: { HATOBA_SOCKET: socket } }));
}

function answering(status: number, body: unknown): RequestListener {
  return (_request, response) => {
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

describe('no daemon', () => {
  test('where there is no socket', async () => {
    expect(await runWords(['status', '--socket', 'hatoba.sock'], { cwd: directory })).toEqual({
      stdout: '',
      stderr:
        `hatoba: no daemon answers at ${socket}: there is no such socket\n` +
        '  hint: Start it with `hatoba serve`, or say where it is with --socket or --url.\n',
      exit: 6,
    });
  });

  test('where nobody listens', async () => {
    await writeFile(socket, '');
    const { stderr, exit } = await runWords(['status', '--socket', socket]);
    expect(stderr).toContain(`no daemon answers at ${socket}: nobody listens there\n`);
    expect(exit).toBe(6);
  });

  test('where somebody hangs up', async () => {
    const server = createServer((connection) => {
      connection.destroy();
    });
    const { stderr, exit } = await whileListening(server, () => runWords(['status', '--socket', socket]));
    expect(stderr).toMatch(/no daemon answers at .*: (socket hang up|read ECONNRESET|write EPIPE)\n/);
    expect(exit).toBe(6);
  });

  test('where somebody is silent', async () => {
    const context = { process: { stdout: { write: () => 0 }, stderr: { write: () => 0 } }, env: {}, cwd: () => '/' };
    const work = () => createClient(context, { socket }, 50).getStatus();
    const silent = createServer((connection) => {
      connection.resume();
    });
    await expect(whileListening(silent, work)).rejects.toMatchObject({
      code: 'daemon_unreachable',
      message: `no daemon answers at ${socket}: it was silent for 0.05 s`,
    });
  });

  test.each(['SSH-2.0-OpenSSH_9.2\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}'])(
    'where it says %j',
    async (text) => {
      const server = createServer((connection) => {
        connection.resume().end(text);
      });
      const { stderr, exit } = await whileListening(server, () => runWords(['status', '--socket', socket]));
      expect(stderr).toContain(`no daemon answers at ${socket}: `);
      expect(exit).toBe(6);
    },
  );

  test.each([
    [200, 'hello'],
    [200, ''],
    [200, { version: 3 }],
    [200, []],
    [500, 'hello'],
    [404, { error: 'Not Found' }],
    [404, []],
  ])('where it answers %i %j', async (status, body) => {
    const { stdout, stderr, exit } = await runAgainst(answering(status, body));
    expect(stderr).toContain(`no daemon answers at ${socket}: what answers there is no hatoba of this version\n`);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 6 });
  });
});

describe('problems', () => {
  test('are told as the daemon tells them', async () => {
    const body = { code: 'not_permitted', detail: 'no \u001b[2J', hint: 'Ask.\n', status: 403 };
    expect(await runAgainst(answering(403, body))).toEqual({
      stdout: '',
      stderr: 'hatoba: no \\u001b[2J\n  hint: Ask.\\u000a\n',
      exit: 5,
    });
  });

  test.each([
    [404, 3],
    [409, 4],
    [412, 4],
    [403, 5],
    [418, 2],
    [500, 1],
    [599, 1],
  ])('with a code of a later version count by their status %i', async (status, exit) => {
    const body = { code: 'toString', detail: 'something new' };
    expect(await runAgainst(answering(status, body))).toEqual({ stdout: '', stderr: 'hatoba: something new\n', exit });
  });
});

test('lists are read page by page', async () => {
  const asked: (string | undefined)[] = [];
  const answer: RequestListener = (request, response) => {
    asked.push(request.url);
    response.end(JSON.stringify({ forwards: [], next: asked.length < 3 ? `a/b${asked.length}` : null, revision: 1 }));
  };
  const words = [
    'forward',
    'list',
    '--project',
    'p 1&x',
    '--sort',
    'name',
    '--reverse',
    '--socket',
    socket,
    '-o',
    'json',
  ];
  const { stdout } = await whileListening(createHttpServer(answer), () => runWords(words));
  expect(stdout).toBe('[]\n');
  const path = '/v1/forwards?project_id=p%201%26x&sort=-name';
  expect(asked).toEqual([path, `${path}&marker=a%2Fb1`, `${path}&marker=a%2Fb2`]);
});

test('references cannot leave their place in the path', async () => {
  const asked: (string | undefined)[] = [];
  const answer: RequestListener = (request, response) => {
    asked.push(request.url);
    answering(404, { code: 'forward_not_found', detail: 'none' })(request, response);
  };
  const words = ['forward', 'show', 'a/../b?c#d', '--socket', socket];
  const { exit } = await whileListening(createHttpServer(answer), () => runWords(words));
  expect(asked).toEqual(['/v1/forwards/a%2F..%2Fb%3Fc%23d']);
  expect(exit).toBe(3);
});

describe('forward add, where the connection breaks', () => {
  const words = ['forward', 'add', '--no-wait', '-q', '--router', 'r1', '5001', '192.0.2.1:22'];

  /** A daemon whose answer does not get through the first so many times, and the ids of its forwards. */
  async function addThrough(breaks: number): Promise<[Outcome, readonly string[]]> {
    await using bench = await openBench();
    await bench.api.ready();
    let left = breaks;
    const daemon = createHttpServer((request, response) => {
      if (left-- > 0) response.end = () => response.destroy();
      bench.api.routing(request, response);
    });
    const outcome = await whileListening(daemon, () => runWords([...words, '--socket', socket]));
    return [outcome, bench.registry.forwards.list().map(({ id }) => id)];
  }

  test('once, there is one forward, and its id is told', async () => {
    const [outcome, ids] = await addThrough(1);
    expect(ids).toHaveLength(1);
    expect(outcome).toEqual({ stdout: `${ids[0]}\n`, stderr: '', exit: 0 });
  });

  test('again, that is told, and there is still one forward', async () => {
    const [outcome, ids] = await addThrough(2);
    expect(ids).toHaveLength(1);
    expect(outcome.exit).toBe(6);
  });
});
