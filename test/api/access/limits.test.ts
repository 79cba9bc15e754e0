import { describe, expect, test } from 'vitest';
import { admitAtRate, createFailureLimit } from '../../../src/api/access/limits.ts';
import { authenticateByToken, type TokenOwners } from '../../../src/api/access/token-callers.ts';
import type { Caller } from '../../../src/model/caller.ts';
import { hatobaError } from '../../../src/model/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, ask, openTcpBench, type TcpBench } from '../tcp-under-test.ts';

/** So slow that no test sees a second one of it. */
const RATE = { perSecond: 0.001, burst: 3 };

/** A clock that stands still: what has been used up stays so, however slow the machine is. */
const NOW = () => 0;

/** Somebody else's tokens, of which nothing is known without asking. */
const asking = (identify: TokenOwners['identify']): TokenOwners => ({ known: () => undefined, identify });

/** Everybody here comes from the loopback, which is limited by no address. */
const openLimited = (others: TokenOwners | null = null, keyOf: () => string | null = () => null) =>
  openTcpBench(
    ({ tokens }) =>
      authenticateByToken(
        tokens,
        others,
        createFailureLimit(() => 'somebody', NOW),
      ),
    {
      admit: admitAtRate(RATE, keyOf),
    },
  );

const ALICE: Caller = { name: 'keystone alice', role: 'reader', project: null, allProjects: true };

async function issue({ bench }: TcpBench, name: string): Promise<string> {
  const spec = { name, role: 'reader', project: null, expiresAt: null } as const;
  return (await bench.registry.tokens.create(spec, 'socket')).secret;
}

const askWith = ({ port }: TcpBench, token: string, path = '/v1/forwards') =>
  ask(port, path, { headers: { 'x-auth-token': token } });

async function times(count: number, act: () => Promise<Answer>): Promise<readonly (number | undefined)[]> {
  const statuses: (number | undefined)[] = [];
  for (let n = 0; n < count; n++) statuses.push((await act()).status);
  return statuses;
}

test('each caller may ask at a rate; above it they are told how long to wait', async () => {
  await using tcp = await openLimited();
  const [one, other] = [await issue(tcp, 'one'), await issue(tcp, 'other')];
  expect(await times(4, () => askWith(tcp, one))).toEqual([200, 200, 200, 429]);
  const refused = await askWith(tcp, one);
  const problem = JSON.parse(refused.body);
  expect(problem).toMatchObject({ code: 'too_many_requests', detail: expect.stringContaining('token one asks') });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(900);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(1_000);
  expect((await askWith(tcp, other)).status).toBe(200);
});

test('the routes of Neutron are limited likewise', async () => {
  await using tcp = await openLimited();
  const token = await issue(tcp, 'one');
  expect((await times(4, () => askWith(tcp, token, '/v2.0/floatingips'))).at(-1)).toBe(429);
});

test('who may not do something has asked all the same', async () => {
  await using tcp = await openLimited();
  const token = await issue(tcp, 'one');
  expect(await times(4, () => askWith(tcp, token, '/v1/tokens'))).toEqual([403, 403, 403, 429]);
});

describe('tokens that are not valid', () => {
  const LIMIT = 50;

  test('are refused without a look at them when there are too many', async () => {
    const asked: string[] = [];
    const identify = async (token: string) => {
      asked.push(token);
      return null;
    };
    await using tcp = await openLimited(asking(identify));
    const statuses = await Promise.all(Array.from({ length: 3 * LIMIT }, (_, n) => askWith(tcp, `guess${n}`)));
    const refused = statuses.filter(({ status }) => status === 429);
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect(asked).toHaveLength(statuses.length - refused.length);
    expect(asked.length).toBeLessThanOrEqual(LIMIT + 1);
  });

  test('keep nobody out of whose token it is known that it is valid', async () => {
    const knows = (token: string) => (token === 'alice' ? ALICE : undefined);
    await using tcp = await openLimited({ known: knows, identify: async () => null });
    const token = await issue(tcp, 'one');
    await eventually(async () => {
      await Promise.all(Array.from({ length: 2 * LIMIT }, () => askWith(tcp, 'guess')));
      expect((await askWith(tcp, 'guess')).status).toBe(429);
    });
    expect((await askWith(tcp, token)).status).toBe(200);
    expect((await askWith(tcp, 'alice')).status).toBe(200);
  });

  test('are not counted where it is known that they are nobody’s, since nobody is asked', async () => {
    await using tcp = await openLimited({ known: () => null, identify: () => Promise.reject(new Error('asked')) });
    const statuses = await Promise.all(Array.from({ length: 2 * LIMIT }, () => askWith(tcp, 'guess')));
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([401]));
  });
});

test.each([
  ['not_authenticated', 401],
  ['token_unscoped', 403],
  ['authentication_unavailable', 503],
] as const)('whose request fails with %s is limited, and keeps nobody out', async (code, status) => {
  const fail = async () => {
    throw hatobaError(code, { user: 'alice', reason: 'Keystone is away' });
  };
  await using tcp = await openLimited(asking(fail), () => 'somebody');
  const token = await issue(tcp, 'one');
  expect(await times(5, () => askWith(tcp, 'alice'))).toEqual([status, status, status, 429, 429]);
  expect((await askWith(tcp, token)).status).toBe(200);
});

test('what anybody may ask is limited by address, but for those of this machine', async () => {
  const admit = admitAtRate(RATE);
  const admitted = (remoteAddress: string) => {
    try {
      admit(null, { socket: { remoteAddress } });
      return true;
    } catch {
      return false;
    }
  };
  expect(Array.from({ length: 4 }, () => admitted('192.0.2.1'))).toEqual([true, true, true, false]);
  expect(admitted('192.0.2.2')).toBe(true);
  expect(Array.from({ length: 10 }, () => admitted('127.0.0.1'))).not.toContain(false);
});
