import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDoors } from '../../../src/api/access/doors.ts';
import { authenticateLoopback } from '../../../src/api/access/local-callers.ts';
import { type KeyPair, readKeyPair } from '../../../src/api/listen/key-pair.ts';
import { createTcpListener, type TcpListener } from '../../../src/api/listen/tcp.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { openBench } from '../api-under-test.ts';

let directory: string;
let one: KeyPair;
let two: KeyPair;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-tls-'));
  one = await readKeyPair(makeCertificate(directory, 'one'));
  two = await readKeyPair(makeCertificate(directory, 'two'));
});
afterAll(() => rmSync(directory, { recursive: true }));

interface TlsBench extends AsyncDisposable {
  readonly port: number;
  readonly listener: TcpListener;
  close(): Promise<void>;
}

async function openTlsBench(): Promise<TlsBench> {
  const doors = createDoors();
  const bench = await openBench({ authenticate: doors.authenticate });
  const listener = createTcpListener(bench.api, doors, authenticateLoopback, { keyPair: one });
  await bench.api.ready();
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  return { port, listener, close: () => bench.api.close(), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

interface Answer {
  readonly status: number | undefined;
  readonly commonName: string | undefined;
  /** That of the client's side of the connection. */
  readonly port: number | undefined;
}

/** Trusts the pair alone, as a client that knows the authority does. */
async function ask(port: number, { cert: ca }: KeyPair, agent: Agent | false = false): Promise<Answer> {
  const asked = request({ host: '127.0.0.1', port, path: '/v1/forwards', ca, agent }).end();
  const [socket] = await once(asked, 'socket');
  const [response] = await once(asked, 'response');
  const { CN } = socket.getPeerCertificate().subject ?? {};
  await text(response);
  return { status: response.statusCode, commonName: CN, port: socket.localPort };
}

test('the API answers over TLS', async () => {
  await using tls = await openTlsBench();
  expect(await ask(tls.port, one)).toMatchObject({ status: 200, commonName: 'one' });
});

test('new connections have the new pair, and old ones go on', async () => {
  await using tls = await openTlsBench();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before = await ask(tls.port, one, agent);
  tls.listener.useKeyPair(two);
  expect(await ask(tls.port, two)).toMatchObject({ status: 200, commonName: 'two' });
  expect(await ask(tls.port, one, agent)).toEqual({ ...before, commonName: expect.anything() });
  await expect(ask(tls.port, one)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  agent.destroy();
});

test('what is older than TLS 1.2 is refused', async () => {
  await using tls = await openTlsBench();
  const open = async (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const socket = connectTls({
      host: '127.0.0.1',
      port: tls.port,
      minVersion: version,
      maxVersion: version,
      ca: one.cert,
      ciphers,
    });
    socket.on('error', () => undefined);
    const opened = await Promise.race([
      once(socket, 'secureConnect').then(
        () => true,
        () => false,
      ),
      once(socket, 'close').then(() => false),
    ]);
    socket.destroy();
    return opened;
  };
  expect([await open('TLSv1.1'), await open('TLSv1.2'), await open('TLSv1.3')]).toEqual([false, true, true]);
});

test('plain HTTP is not answered', async () => {
  await using tls = await openTlsBench();
  const socket = connect(tls.port, '127.0.0.1').setEncoding('latin1');
  socket.on('error', () => undefined);
  let told = '';
  socket.on('data', (data: string) => {
    told += data;
  });
  socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(told).not.toContain('HTTP/');
});

test('what is not HTTP inside TLS is answered as a problem', async () => {
  await using tls = await openTlsBench();
  const socket: TLSSocket = connectTls({ port: tls.port, host: '127.0.0.1', ca: one.cert });
  socket.write('nonsense\r\n\r\n');
  expect(await text(socket)).toContain('request_malformed');
});

test('closing lets go of connections that are kept alive', async () => {
  await using tls = await openTlsBench();
  const agent = new Agent({ keepAlive: true });
  await ask(tls.port, one, agent);
  await tls.close();
  await tls.listener.ended();
  agent.destroy();
});
