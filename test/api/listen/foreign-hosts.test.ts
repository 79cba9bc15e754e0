import { expect, test } from 'vitest';
import { createDoors } from '../../../src/api/access/doors.ts';
import { authenticateLoopback } from '../../../src/api/access/local-callers.ts';
import { createTcpListener } from '../../../src/api/listen/tcp.ts';
import { openUpstreamBench } from '../neutron/upstream-under-test.ts';
import { ask } from '../tcp-under-test.ts';

/** In front of a Neutron, where most requests are nobody's here. */
async function serve(onlyLoopback: boolean) {
  const doors = createDoors();
  const bench = await openUpstreamBench({ authenticate: doors.authenticate });
  const listener = createTcpListener(bench.api, doors, authenticateLoopback, { onlyLoopback });
  await bench.api.ready();
  return { bench, ...(await listener.listen({ host: '127.0.0.1', port: 0 })) };
}

const PATHS = ['/healthz', '/v1/forwards', '/v2.0/networks', '/v2.0/floatingips', '/nothing'];

test.each(PATHS)('under the name of another host, %s is refused, and Neutron is not asked', async (path) => {
  const { bench, port } = await serve(true);
  await using _ = bench;
  const { status } = await ask(port, path, { headers: { host: 'evil.example' } });
  expect(status).toBe(403);
  expect(bench.neutron.asked).toEqual([]);
  expect((await ask(port, path)).status).not.toBe(403);
});

test('where others may connect, a host has any name', async () => {
  const { bench, port } = await serve(false);
  await using _ = bench;
  expect((await ask(port, '/v2.0/networks', { headers: { host: 'cloud.example' } })).status).not.toBe(403);
  expect(bench.neutron.asked).toEqual(['GET /v2.0/networks']);
});

test.each(['http://evil.example', 'https://127.0.0.1.evil.example:9797', 'null', ''])(
  'what a page of %s sends goes no further',
  async (origin) => {
    const { bench, port } = await serve(true);
    await using _ = bench;
    for (const path of PATHS) {
      const { status, body } = await ask(port, path, { method: 'POST', headers: { origin } });
      expect([path, status, body]).toEqual([
        path,
        403,
        expect.stringContaining('is not how this machine calls itself'),
      ]);
    }
    expect(bench.neutron.asked).toEqual([]);
  },
);

test('what a page of this machine sends is taken', async () => {
  const { bench, port } = await serve(true);
  await using _ = bench;
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:9797'])
    expect((await ask(port, '/v1/forwards', { headers: { origin } })).status).toBe(200);
});
