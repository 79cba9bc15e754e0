import { lstatSync, readdirSync } from 'node:fs';
import { lstat, readdir, rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { authenticateSocket } from '../../../src/api/access/local-callers.ts';
import { createApi } from '../../../src/api/api.ts';
import { groupId, listenOnSocket, refuseRunning } from '../../../src/api/listen/socket.ts';
import { liveNode, openBench, publish, report, wish } from '../api-under-test.ts';

/** A server closes by removing the name it was given; under another name, its socket stays. */
async function leaveSocketBehind(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.first`, resolve));
  await rename(`${path}.first`, path);
  await new Promise((resolve) => server.close(resolve));
  expect((await lstat(path)).isSocket()).toBe(true);
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(socketPath: string, method: string, path: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
      text(response).then((content) => resolve({ status: response.statusCode, body: content }), reject);
    });
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test('the socket is for its owner and group, works, and goes with the API', async () => {
  await using bench = await openBench();
  const path = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, path);
  const { mode } = await lstat(path);
  expect(mode & 0o777).toBe(0o660);
  expect(await ask(path, 'GET', '/healthz')).toEqual({ status: 200, body: '{"status":"ok"}' });
  await bench.api.close();
  expect((await readdir(bench.directory)).filter((name) => name.startsWith('hatoba.sock'))).toEqual([]);
});

test('at no moment is it for others, whatever the umask', async () => {
  await using bench = await openBench();
  const path = join(bench.directory, 'hatoba.sock');
  const modes: number[] = [];
  bench.api.server.once('listening', () => {
    for (const name of readdirSync(bench.directory).filter((one) => one.startsWith('hatoba.sock'))) {
      modes.push(lstatSync(join(bench.directory, name)).mode & 0o077);
    }
  });
  const before = process.umask(0);
  try {
    await listenOnSocket(bench.api, path);
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
  expect(modes).toEqual([0]);
});

test('over a real connection, a create waits for the node', async () => {
  await using bench = await openBench();
  const path = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, path);
  await publish(bench.registry, report(0));
  const stop = bench.registry.forwards.subscribe(() => {
    stop();
    setTimeout(() => void publish(bench.registry, report(bench.registry.forwards.revision())), 100);
  });
  const created = await ask(path, 'POST', '/v1/forwards?wait=30', wish({ name: 'a' }));
  expect(JSON.parse(created.body).status.state).toBe('active');
  liveNode(bench.registry);
  const removed = await ask(path, 'DELETE', '/v1/forwards/a?wait=30');
  expect(JSON.parse(removed.body).applied).toBe(true);
});

test('a client that goes away is no longer waited for', async () => {
  await using bench = await openBench();
  const { registry, directory } = bench;
  await publish(registry, report(0));
  let subscribers = 0;
  const subscribe = (listener: (router: string) => void) => {
    const unsubscribe = registry.statuses.subscribe(listener);
    subscribers++;
    return () => {
      subscribers--;
      unsubscribe();
    };
  };
  const watched = { ...registry, statuses: { ...registry.statuses, subscribe } };
  const node = { version: '0', name: 'n1', driver: null, startedAt: '', store: '', roles: [] };
  const api = createApi({ registry: watched, authenticate: authenticateSocket, node, log: false });
  const path = join(directory, 'hatoba.sock');
  await listenOnSocket(api, path);
  const client = connect(path);
  const body = JSON.stringify(wish());
  const head = `POST /v1/forwards?wait=60 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json`;
  client.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await expect.poll(() => subscribers).toBe(1);
  client.destroy();
  await expect.poll(() => subscribers).toBe(0);
  await api.close();
});

test('a socket left behind is replaced', async () => {
  await using bench = await openBench();
  const path = join(bench.directory, 'hatoba.sock');
  await leaveSocketBehind(path);
  await listenOnSocket(bench.api, path);
  expect((await ask(path, 'GET', '/healthz')).status).toBe(200);
});

test('a second daemon is refused, and leaves the first one alone', async () => {
  await using first = await openBench();
  const path = join(first.directory, 'hatoba.sock');
  await listenOnSocket(first.api, path);
  {
    await using second = await openBench();
    await expect(listenOnSocket(second.api, path)).rejects.toMatchObject({ code: 'daemon_running' });
  }
  expect((await ask(path, 'GET', '/healthz')).status).toBe(200);
});

test('a file, a missing directory and too long a path are refused', async () => {
  await using bench = await openBench();
  const file = join(bench.directory, 'file');
  await writeFile(file, 'precious');
  await expect(listenOnSocket(bench.api, file)).rejects.toMatchObject({ code: 'socket_unusable' });
  expect((await lstat(file)).isFile()).toBe(true);
});

test('only who answers is in the way of a cleanup, and not a file at the place of the socket', async () => {
  await using bench = await openBench();
  const [file, path] = [join(bench.directory, 'file'), join(bench.directory, 'hatoba.sock')];
  await writeFile(file, 'precious');
  await refuseRunning(file);
  await leaveSocketBehind(path);
  await refuseRunning(path);
  await listenOnSocket(bench.api, path);
  await expect(refuseRunning(path)).rejects.toMatchObject({ code: 'daemon_running' });
});

test.for(['missing/hatoba.sock', `${'x'.repeat(120)}.sock`])('cannot listen on %s', async (name) => {
  await using bench = await openBench();
  const path = join(bench.directory, name);
  await expect(listenOnSocket(bench.api, path)).rejects.toMatchObject({ code: 'socket_unusable' });
});

test('what is not HTTP is answered with a problem', async () => {
  await using bench = await openBench();
  const path = join(bench.directory, 'hatoba.sock');
  await listenOnSocket(bench.api, path);
  const client = connect(path);
  client.end('nonsense\r\n\r\n');
  const [head, body] = (await text(client)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(JSON.parse(body ?? '')).toMatchObject({ status: 400, code: 'request_malformed' });
});

test('a group is found by its whole name', () => {
  const groups = 'root:x:0:\nhatoba2:x:7:\nhatoba:x:993:alice,bob\n';
  expect(groupId('hatoba', groups)).toBe(993);
  expect(groupId('hato', groups)).toBeUndefined();
  expect(groupId('broken', 'broken:x\n')).toBeUndefined();
});
