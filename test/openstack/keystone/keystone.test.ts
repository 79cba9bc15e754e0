import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keystoneOf } from './keystone-under-test.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const ALICE = {
  name: 'keystone alice@Default',
  id: 'keystone alice',
  role: 'member',
  project: 'p1',
  allProjects: false,
};

let server: StandIn;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  server = await startStandIn();
});

afterEach(async () => {
  vi.useRealTimers();
  await server[Symbol.asyncDispose]();
});

/** How often Keystone was asked about a token. */
function checks(): number {
  return server.requests.filter((method) => method === 'GET').length;
}

describe('a token', () => {
  test.each(['', '/', '/v3', '/v3/'])(
    'is checked with the credentials of the service (auth_url ends with "%s")',
    async (end) => {
      using keystone = keystoneOf(server.url + end);
      expect(await keystone.identify(server.issue())).toEqual(ALICE);
      expect(server.requests).toEqual(['POST', 'GET']);
      expect(server.lastLogin).toEqual({
        auth: {
          identity: {
            methods: ['password'],
            password: { user: { name: 'hatoba', password: 'secret', domain: { name: 'Default' } } },
          },
          scope: { project: { name: 'service', domain: { name: 'Default' } } },
        },
      });
    },
  );

  test('that Keystone does not know belongs to nobody', async () => {
    using keystone = keystoneOf(server.url);
    expect(await keystone.identify('4b1b9a27')).toBeNull();
  });

  test.each(['', 'a b', 'ü', 'a\r\nx-auth-token: b', 'x'.repeat(8193)])('is never %j', async (text) => {
    using keystone = keystoneOf(server.url);
    expect(await keystone.identify(text)).toBeNull();
    expect(server.requests).toEqual([]);
  });

  test.each<[Record<string, unknown>, string]>([
    [{}, 'token_unscoped'],
    [{ domain: { id: 'default', name: 'Default' } }, 'token_unscoped'],
    [{ system: { all: true } }, 'roles_useless'],
  ])('with the scope %j is refused', async (scope, code) => {
    using keystone = keystoneOf(server.url);
    await expect(keystone.identify(server.issue({ scope }))).rejects.toMatchObject({ code, status: 403 });
    expect(keystone.told).toEqual([]);
  });
});

describe('what Keystone said', () => {
  test('counts for the configured time, and not longer', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 30 });
    const token = server.issue();
    await keystone.identify(token);
    server.revoke(token);
    vi.advanceTimersByTime(29_999);
    expect(await keystone.identify(token)).toEqual(ALICE);
    expect(checks()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await keystone.identify(token)).toBeNull();
    expect(checks()).toBe(2);
  });

  test('is known without asking, and nothing else is', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 30 });
    const [token, unscoped] = [server.issue(), server.issue({ scope: {} })];
    expect([token, unscoped, '4b1b9a27'].map((one) => keystone.known(one))).toEqual([undefined, undefined, undefined]);
    expect(server.requests).toEqual([]);
    await Promise.allSettled([token, unscoped, '4b1b9a27'].map((one) => keystone.identify(one)));
    expect([token, '4b1b9a27', 'a b'].map((one) => keystone.known(one))).toEqual([ALICE, null, null]);
    expect(() => keystone.known(unscoped)).toThrow(expect.objectContaining({ code: 'token_unscoped' }));
    vi.advanceTimersByTime(30_000);
    expect(keystone.known(token)).toBeUndefined();
  });

  test('is as old as the question', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 30 });
    const token = server.issue();
    const holding = server.hold();
    const answer = keystone.identify(token);
    const release = await holding;
    vi.advanceTimersByTime(20_000);
    release();
    await answer;
    vi.advanceTimersByTime(10_000);
    await keystone.identify(token);
    expect(checks()).toBe(2);
  });

  test('is asked for again when the token has expired meanwhile', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 3600 });
    const token = server.issue({ lifetimeMs: 5_000 });
    await keystone.identify(token);
    vi.advanceTimersByTime(4_000);
    await keystone.identify(token);
    expect(checks()).toBe(1);
    vi.advanceTimersByTime(1_000);
    await keystone.identify(token);
    expect(checks()).toBe(2);
  });

  test('is always asked for where nothing may be remembered', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 0 });
    const token = server.issue();
    await keystone.identify(token);
    server.revoke(token);
    expect(await keystone.identify(token)).toBeNull();
    expect(await keystone.identify(token)).toBeNull();
    expect(checks()).toBe(3);
  });

  test('against a token is remembered for five seconds', async () => {
    using keystone = keystoneOf(server.url);
    expect(await keystone.identify('4b1b9a27')).toBeNull();
    vi.advanceTimersByTime(4_999);
    expect(await keystone.identify('4b1b9a27')).toBeNull();
    expect(checks()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await keystone.identify('4b1b9a27')).toBeNull();
    expect(checks()).toBe(2);
  });

  test('is one answer for all who ask at the same time', async () => {
    using keystone = keystoneOf(server.url);
    const [first, second] = [server.issue(), server.issue({ user: 'bob' })];
    const holding = server.hold();
    const answers = Array.from({ length: 40 }, (_, index) => keystone.identify(index % 2 === 0 ? first : second));
    (await holding)();
    const names = (await Promise.all(answers)).map((caller) => caller?.name);
    expect(names).toEqual(
      Array.from({ length: 40 }, (_, index) => `keystone ${index % 2 === 0 ? 'alice' : 'bob'}@Default`),
    );
    expect([...server.requests].sort()).toEqual(['GET', 'GET', 'POST']);
  });
});

describe('the own token', () => {
  test('is renewed before it ends', async () => {
    server.lifetimeMs = 100_000;
    using keystone = keystoneOf(server.url, { cacheSeconds: 0 });
    await keystone.identify(server.issue());
    vi.advanceTimersByTime(89_999);
    await keystone.identify(server.issue());
    vi.advanceTimersByTime(1);
    await keystone.identify(server.issue());
    expect(server.requests).toEqual(['POST', 'GET', 'GET', 'POST', 'GET']);
  });

  test('is renewed once when Keystone refuses it, whoever asks', async () => {
    using keystone = keystoneOf(server.url, { cacheSeconds: 0 });
    await keystone.identify(server.issue());
    server.forgetAll();
    const tokens = Array.from({ length: 5 }, () => server.issue());
    expect(await Promise.all(tokens.map((token) => keystone.identify(token)))).toEqual(tokens.map(() => ALICE));
    expect(server.requests.filter((method) => method === 'POST')).toHaveLength(2);
    expect(keystone.told).toEqual([]);
  });

  test('cannot be had with a wrong password, which is tried once a second', async () => {
    server.password = 'another';
    using keystone = keystoneOf(server.url);
    const token = server.issue();
    const refusal = {
      code: 'authentication_unavailable',
      message: expect.stringContaining('does not accept the credentials'),
    };
    for (let turn = 0; turn < 3; turn++) await expect(keystone.identify(token)).rejects.toMatchObject(refusal);
    expect(server.requests).toEqual(['POST']);
    server.password = 'secret';
    vi.advanceTimersByTime(1_000);
    expect(await keystone.identify(token)).toEqual(ALICE);
  });
});
