import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createDoors } from '../../../src/api/access/doors.ts';
import { authenticateLoopback } from '../../../src/api/access/local-callers.ts';
import { createTcpListener } from '../../../src/api/listen/tcp.ts';
import { openBench, publish, report, wish } from '../api-under-test.ts';
import { ask, openTcpBench } from '../tcp-under-test.ts';

test('the API answers on TCP as it does on the socket', async () => {
  await using tcp = await openTcpBench();
  const created = await ask(tcp.port, '/v1/forwards?wait=0', { method: 'POST', body: wish({ name: 'ssh' }) });
  expect(created).toMatchObject({ status: 201, body: expect.stringContaining('"name":"ssh"') });
  expect(tcp.bench.registry.forwards.list()).toHaveLength(1);
});

test.each(['evil.example', 'evil.example:9797', '127.0.0.1.evil.example', '192.168.1.5', '[2001:db8::1]'])(
  'a request that calls this machine %j is refused, since a page in a browser could have sent it',
  async (host) => {
    await using tcp = await openTcpBench(undefined, { onlyLoopback: true });
    const { status, body } = await ask(tcp.port, '/v1/forwards', { headers: { host } });
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 403, code: 'host_not_local' });
  },
);

test.each(['127.0.0.1:9797', '127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:9797'])(
  'it may call it %s',
  async (host) => {
    await using tcp = await openTcpBench(undefined, { onlyLoopback: true });
    expect(await ask(tcp.port, '/v1/forwards', { headers: { host } })).toMatchObject({ status: 200 });
  },
);

test('what came by no listener is refused', async () => {
  await using tcp = await openTcpBench();
  const answer = await tcp.bench.api.inject('/v1/forwards');
  expect([answer.statusCode, answer.json().code]).toEqual([401, 'not_authenticated']);
});

test('a port that somebody has is told', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const bound = other.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const doors = createDoors();
  await using bench = await openBench({ authenticate: doors.authenticate });
  const listener = createTcpListener(bench.api, doors, authenticateLoopback);
  await bench.api.ready();
  await expect(listener.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'address_unusable',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  await bench.api.close();
  await listener.ended();
  other.close();
});

test('where only this machine may connect, what is bound counts, and not what it is called', async () => {
  const doors = createDoors();
  await using bench = await openBench({ authenticate: doors.authenticate });
  const open = () => createTcpListener(bench.api, doors, authenticateLoopback, { onlyLoopback: true });
  const [near, far] = [open(), open()];
  await bench.api.ready();
  const { port } = await near.listen({ host: 'localhost', port: 0 });
  expect((await ask(port, '/healthz')).status).toBe(200);
  await expect(far.listen({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({
    code: 'listen_unprotected',
    message: expect.stringContaining('0.0.0.0'),
  });
  // It listens no more, or this would wait for the end of the API.
  await far.ended();
});

test('closing answers who waits, and lets go of connections that are kept alive', async () => {
  await using tcp = await openTcpBench();
  const agent = new Agent({ keepAlive: true });
  await publish(tcp.bench.registry, report(0));
  await ask(tcp.port, '/healthz', { agent });
  const waiting = ask(tcp.port, '/v1/forwards?wait=60', { method: 'POST', body: wish(), agent });
  while (tcp.bench.registry.forwards.list().length === 0) await new Promise(setImmediate);
  await tcp.bench.api.close();
  expect((await waiting).status).toBe(201);
  await tcp.ended();
  await expect(ask(tcp.port, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  agent.destroy();
});

test.each([
  ['headers', '/v1/forwards', { cookie: 'x'.repeat(20_000) }],
  ['an address', `/v1/forwards?router=${'x'.repeat(20_000)}`, {}],
])('a request with %s beyond all measure is answered as a problem', async (_name, path, headers) => {
  await using tcp = await openTcpBench();
  const { status, body } = await ask(tcp.port, path, { headers });
  expect([status, JSON.parse(body).code]).toEqual([431, 'head_too_large']);
});
