import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDoors } from '../../src/api/access/doors.ts';
import { authenticateLoopback } from '../../src/api/access/local-callers.ts';
import { createTcpListener } from '../../src/api/listen/tcp.ts';
import { openBench, wish } from '../api/api-under-test.ts';
import { run } from '../support/command.ts';
import { type Outcome, runWords } from './cli-under-test.ts';

const ROUTERS = JSON.stringify({ routers: [], revision: 1 });

let directory: string;
let [keyFile, certificateFile]: readonly string[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hatoba-url-'));
  [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const name = ['-subj', '/CN=hatoba', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', ['req', '-x509', '-days', '1', ...key, '-out', certificateFile, ...name]);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** Gives the work the port at which the server listens meanwhile. */
async function whileListening<Value>(server: Server, work: (port: number) => Promise<Value>): Promise<Value> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  try {
    return await work(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    server.close();
    await once(server, 'close');
  }
}

async function openTls(answer: RequestListener): Promise<Server> {
  const [key, cert] = await Promise.all([readFile(keyFile ?? ''), readFile(certificateFile ?? '')]);
  return createTlsServer({ key, cert }, answer);
}

const list = (url: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  runWords(['router', 'list', '-o', 'json', '--url', url], { env });

test('every command reaches the daemon by TCP, too', async () => {
  const doors = createDoors();
  await using bench = await openBench({ authenticate: doors.authenticate });
  const listener = createTcpListener(bench.api, doors, authenticateLoopback);
  await bench.api.ready();
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  const env = { HATOBA_URL: `http://127.0.0.1:${port}/` };
  const { router } = wish();
  const add = [
    'forward',
    'add',
    '--no-wait',
    '-q',
    '--name',
    'ssh',
    '--router',
    String(router),
    '5001',
    '192.0.2.1:22',
  ];
  expect(await runWords(add, { env })).toMatchObject({ stderr: '', exit: 0 });
  expect(bench.registry.forwards.list()).toMatchObject([{ name: 'ssh' }]);
  const shown = await runWords(['--url', `http://localhost:${port}`, 'forward', 'show', 'ssh', '-o', 'json']);
  expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'ssh', external_port: '5001' });
  const { stdout } = await runWords(['__complete', '--url', env.HATOBA_URL, 'forward', 'show', '']);
  expect(stdout).toContain('ssh');
});

test('the token goes along, and the path of the URL stands before that of the request', async () => {
  const asked: unknown[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers.host, headers.authorization]);
    response.end(ROUTERS);
  });
  const exits = await whileListening(server, async (port) => {
    const [one, other] = [`http://localhost:${port}/hatoba/`, `http://localhost:${port}`];
    const outcomes = [await list(one, { HATOBA_TOKEN: 'hat_secret' }), await list(other, { HATOBA_TOKEN: '' })];
    expect(asked).toEqual([
      ['/hatoba/v1/routers', `localhost:${port}`, 'Bearer hat_secret'],
      ['/v1/routers', `localhost:${port}`, undefined],
    ]);
    return outcomes.map(({ exit }) => exit);
  });
  expect(exits).toEqual([0, 0]);
});

const READABLE = 'hatoba: the token can be read on the way, since the URL is not https://\n';

test.each([
  ['http://nowhere.invalid', { HATOBA_TOKEN: 'hat_secret' }, true],
  ['http://127.0.0.1.nowhere.invalid', { HATOBA_TOKEN: 'hat_secret' }, true],
  ['http://nowhere.invalid', {}, false],
  ['https://nowhere.invalid', { HATOBA_TOKEN: 'hat_secret' }, false],
  ['http://localhost:1', { HATOBA_TOKEN: 'hat_secret' }, false],
  ['http://127.1:1', { HATOBA_TOKEN: 'hat_secret' }, false],
  ['http://[::1]:1', { HATOBA_TOKEN: 'hat_secret' }, false],
])('to %s with %j, whether one is told that the token can be read: %s', async (url, env, told) => {
  const { stderr, exit } = await list(url, env);
  expect([exit, stderr.startsWith(READABLE), stderr.split(READABLE).length - 1]).toEqual([6, told, told ? 1 : 0]);
  expect(stderr).not.toContain('hat_secret');
});

describe('where the daemon is', () => {
  test.each([
    [['--socket', '/s', '--url', 'http://h'], {}, '--socket and --url exclude each other'],
    [[], { HATOBA_SOCKET: '/s', HATOBA_URL: 'http://h' }, 'HATOBA_SOCKET and HATOBA_URL exclude each other'],
    [['--url', 'h:9797'], {}, '--url: h:9797 is not http://HOST:PORT or https://HOST:PORT'],
    [['--url', ''], {}, '--url: "" is not http'],
    [['--url', 'ftp://h'], {}, '--url: ftp://h is not http'],
    [['--url', 'http://user:word@h'], {}, 'is not http://HOST:PORT'],
    [['--url', 'http://h/?a=b'], {}, 'is not http://HOST:PORT'],
    [[], { HATOBA_URL: 'nonsense' }, 'HATOBA_URL: nonsense is not http'],
    [['--url', 'http://h'], { HATOBA_TOKEN: 'a\nb' }, 'HATOBA_TOKEN has characters that are in no token'],
  ])('%j %j: %s', async (words, env, message) => {
    const { stderr, exit } = await runWords(['status', ...words], { env });
    expect(stderr).toContain(`hatoba: ${message}`.replace('hatoba: is', 'is'));
    expect(exit).toBe(2);
  });

  test.each([
    [['status', '--socket', '/nowhere'], { HATOBA_URL: 'http://h' }],
    [['--socket', '/nowhere', 'status'], { HATOBA_URL: 'http://h' }],
    [['status', '--url', 'http://localhost:1'], { HATOBA_SOCKET: '/s' }],
    [['--url=http://localhost:1', 'status'], { HATOBA_SOCKET: '/s' }],
  ])('a flag counts more than the environment: %j %j', async (words, env) => {
    const { stderr, exit } = await runWords(words, { env });
    expect(stderr).toMatch(/no daemon answers at (\/nowhere: there is no|http:\/\/localhost:1: nobody)/);
    expect(exit).toBe(6);
  });
});

describe('no daemon', () => {
  test('where there is no such host', async () => {
    const { stderr, exit } = await list('http://nowhere.invalid:9797');
    expect(stderr).toMatch(/no daemon answers at http:\/\/nowhere\.invalid:9797: (there is no such host|getaddrinfo)/);
    expect(exit).toBe(6);
  });

  test('where somebody is silent, or hangs up', async () => {
    const server = createTcpServer((connection) => connection.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await list(`http://127.0.0.1:${port}`)).toMatchObject({ stdout: '', exit: 6 });
    server.close();
  });

  test.each([
    [401, 'Unauthorized', 5, 'answers with status 401\n  hint: Give a token: HATOBA_TOKEN'],
    [403, '<html>', 5, 'answers with status 403\n  hint: Give a token: HATOBA_TOKEN'],
    [401, '{"code":"not_authenticated","detail":"no token","hint":"Give one."}', 5, 'no token\n  hint: Give one.'],
    [302, '', 6, 'what answers there is no hatoba of this version'],
    [200, '<html>', 6, 'what answers there is no hatoba of this version'],
  ])('where it answers %i %s', async (status, body, exit, message) => {
    const server = createServer((_request, response) => response.writeHead(status).end(body));
    const outcome = await whileListening(server, (port) => list(`http://localhost:${port}`));
    expect(outcome).toMatchObject({ stdout: '', exit, stderr: expect.stringContaining(message) });
  });
});

describe('TLS', () => {
  test('a certificate is believed where its authority is named', async () => {
    const server = await openTls((_request, response) => response.end(ROUTERS));
    const env = { HATOBA_CA_FILE: certificateFile ?? '' };
    expect(await whileListening(server, (port) => list(`https://localhost:${port}`, env))).toMatchObject({ exit: 0 });
  });

  test('and otherwise not, nor for another name', async () => {
    const asked: unknown[] = [];
    const server = await openTls((request, response) => {
      asked.push(request.headers.authorization);
      response.end(ROUTERS);
    });
    const env = { HATOBA_TOKEN: 'hat_secret' };
    const outcomes = await whileListening(server, async (port) => [
      await list(`https://localhost:${port}`, env),
      await list(`https://localhost.localdomain:${port}`, { ...env, HATOBA_CA_FILE: certificateFile ?? '' }),
    ]);
    expect(outcomes[0]).toMatchObject({
      exit: 6,
      stderr: expect.stringMatching(/does not prove to be it: self-signed certificate\n {2}hint: .*HATOBA_CA_FILE/),
    });
    expect(outcomes[1]?.exit).toBe(6);
    expect(asked).toEqual([]);
  });

  test('what does not speak it', async () => {
    const server = createServer((_request, response) => response.end(ROUTERS));
    const { stderr, exit } = await whileListening(server, (port) => list(`https://localhost:${port}`));
    expect(stderr).toMatch(/no daemon answers at https:.*: what answers there does not speak TLS\n/);
    expect(exit).toBe(6);
  });

  test('an authority whose file is not there', async () => {
    const { stderr, exit } = await list('https://localhost:1', { HATOBA_CA_FILE: '/nonexistent.pem' });
    expect(stderr).toContain('/nonexistent.pem cannot be read: ');
    expect(exit).toBe(2);
  });
});
