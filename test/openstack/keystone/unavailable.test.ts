import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HatobaError, reasonOf } from '../../../src/model/errors.ts';
import { keystoneOf } from './keystone-under-test.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

/** Long: nothing here is to end by it. */
const TIMEOUT_MS = 60_000;

let server: StandIn;

beforeEach(async () => {
  server = await startStandIn();
});

afterEach(() => server[Symbol.asyncDispose]());

/** The error that is thrown, and all that have caused it. */
async function failureOf(attempt: Promise<unknown>): Promise<readonly unknown[]> {
  const chain: unknown[] = [];
  let error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  while (error !== undefined) {
    chain.push(error);
    error = error instanceof Error ? error.cause : undefined;
  }
  return chain;
}

describe.each<[string, StandIn['instead'], string]>([
  ['fails', (response) => response.writeHead(500).end('{}'), 'Keystone answers with 500'],
  ['is overloaded', (response) => response.writeHead(503).end(), 'Keystone answers with 503'],
  [
    'is elsewhere',
    (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'answers with 302',
  ],
  ['hangs up', (response) => response.destroy(), 'Keystone does not answer'],
  [
    'breaks off',
    (response) => response.writeHead(200, { 'content-length': '9' }).write('{', () => response.destroy()),
    'does not answer',
  ],
  ['talks on and on', (response) => response.end('x'.repeat((1 << 20) + 1)), 'Keystone does not answer'],
])('while Keystone %s', (_, instead, sentence) => {
  test('no token is good, until it is back', async () => {
    using keystone = keystoneOf(server.url, { timeoutMs: TIMEOUT_MS });
    // It has a token of its own already, so that it is the check that fails.
    await keystone.identify(server.issue());
    server.instead = instead;
    const [token, other] = [server.issue(), server.issue()];
    const unavailable = { code: 'authentication_unavailable', status: 503, message: expect.stringContaining(sentence) };
    await expect(keystone.identify(token)).rejects.toMatchObject(unavailable);
    await expect(keystone.identify(other)).rejects.toMatchObject(unavailable);
    expect(keystone.told).toEqual([expect.objectContaining(unavailable)]);
    server.instead = null;
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone alice@Default' });
    expect(keystone.told).toEqual([expect.objectContaining(unavailable), null]);
  });
});

test.each<[string, StandIn['instead'], string]>([
  ['a page', (response) => response.end('<html>'), 'something that is not a token'],
  ['a token without an owner', (response) => response.end('{"token":{"roles":[{"name":"admin"}]}}'), 'not a token'],
  ['no right to check', (response) => response.writeHead(403).end(), 'does not let this service check tokens'],
])('Keystone answers with %s', async (_, instead, sentence) => {
  using keystone = keystoneOf(server.url);
  await keystone.identify(server.issue());
  server.instead = instead;
  await expect(keystone.identify(server.issue())).rejects.toThrow(sentence);
});

test('Keystone refuses the very token that it gave', async () => {
  using keystone = keystoneOf(server.url);
  await keystone.identify(server.issue());
  server.instead = (response, { method }) => {
    response.writeHead(method === 'POST' ? 201 : 401, { 'x-subject-token': 'own' });
    response.end(
      JSON.stringify({
        token: {
          user: { id: 'u', name: 'u', domain: { name: 'd' } },
          issued_at: '2026-01-01T00:00:00Z',
          expires_at: '2026-01-01T01:00:00Z',
        },
      }),
    );
  };
  await expect(keystone.identify(server.issue())).rejects.toThrow('refuses the token that it gave');
});

test('Keystone is silent', async () => {
  using keystone = keystoneOf(server.url, { timeoutMs: 100 });
  server.instead = () => {};
  const [error, cause] = await failureOf(keystone.identify(server.issue()));
  expect(error).toMatchObject({ code: 'authentication_unavailable' });
  expect(reasonOf(cause)).toMatch(/^POST http.*: no whole answer within 0\.1 s$/);
});

test('nobody listens', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  closed.close();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  using keystone = keystoneOf(`http://127.0.0.1:${port}`);
  await expect(keystone.identify('token')).rejects.toMatchObject({ code: 'authentication_unavailable' });
});

test('what is known already counts while Keystone is away', async () => {
  using keystone = keystoneOf(server.url);
  const token = server.issue();
  await keystone.identify(token);
  server.instead = (response) => response.writeHead(500).end();
  expect(await keystone.identify(token)).toMatchObject({ name: 'keystone alice@Default' });
});

test('so many tokens cannot be checked at once', async () => {
  using keystone = keystoneOf(server.url);
  await keystone.identify(server.issue());
  const holding = server.hold();
  const answers = Array.from({ length: 100 }, () => keystone.identify(server.issue()));
  await expect(keystone.identify(server.issue())).rejects.toThrow('too many tokens are being checked');
  (await holding)();
  expect(new Set((await Promise.all(answers)).map((caller) => caller?.name))).toEqual(
    new Set(['keystone alice@Default']),
  );
  expect(await keystone.identify(server.issue())).not.toBeNull();
});

test('the end waits for no answer', async () => {
  using keystone = keystoneOf(server.url);
  const holding = server.hold();
  const failure = failureOf(keystone.identify(server.issue()));
  await holding;
  keystone.close();
  const [error, cause] = await failure;
  expect(error).toMatchObject({ code: 'authentication_unavailable' });
  expect(reasonOf(cause)).toContain('given up, since the daemon stops');
});

test('no error tells a token or the password', async () => {
  using keystone = keystoneOf(server.url, { cacheSeconds: 0, timeoutMs: 100 });
  const token = server.issue({ roles: [] });
  const failures = [await failureOf(keystone.identify(token))];
  const ways: readonly StandIn['instead'][] = [
    (response, { headers }) => response.writeHead(500).end(JSON.stringify(headers)),
    (response) => response.destroy(),
    () => {},
  ];
  for (const instead of ways) {
    server.instead = instead;
    failures.push(await failureOf(keystone.identify(token)));
  }
  for (const failure of failures) {
    expect(failure[0]).toBeInstanceOf(HatobaError);
    const said = failure.map((error) => `${reasonOf(error)} ${JSON.stringify(error)}`).join(' ');
    expect(said).not.toContain(token);
    expect(said).not.toContain('secret');
  }
});
