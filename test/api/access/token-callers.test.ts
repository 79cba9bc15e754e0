import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { authenticateByToken, type TokenOwners } from '../../../src/api/access/token-callers.ts';
import type { Caller, Role } from '../../../src/model/caller.ts';
import { hatobaError } from '../../../src/model/errors.ts';
import { spec } from '../../registry/specs.ts';
import { setClockForward } from '../../support/clock.ts';
import { ask, openTcpBench, type TcpBench } from '../tcp-under-test.ts';

const openTokenBench = (identify: TokenOwners['identify'] | null = null) =>
  openTcpBench(({ tokens }) => authenticateByToken(tokens, identify && { known: () => undefined, identify }));

async function issue({ bench }: TcpBench, role: Role, project: string | null, expiresAt: string | null = null) {
  const name = `t${bench.registry.tokens.list().length}`;
  return bench.registry.tokens.create({ name, role, project, expiresAt }, 'socket');
}

test.each([
  ['Authorization: Bearer', (secret: string) => ({ authorization: `Bearer ${secret}` })],
  ['authorization: bearer', (secret: string) => ({ authorization: `bearer   ${secret}` })],
  ['X-Auth-Token', (secret: string) => ({ 'x-auth-token': secret })],
  [
    "a proxy's own scheme, and X-Auth-Token",
    (secret: string) => ({ authorization: 'Basic eA==', 'x-auth-token': secret }),
  ],
])('a token is taken from %s', async (_name, headers) => {
  await using tcp = await openTokenBench();
  const { secret } = await issue(tcp, 'admin', null);
  const { status, body } = await ask(tcp.port, '/v1/tokens', { headers: headers(secret) });
  expect([status, JSON.parse(body).tokens.length]).toEqual([200, 1]);
});

const UNKNOWN = `hatoba_${'A'.repeat(43)}`;

test.each<[string, Record<string, string>]>([
  ['none', {}],
  ['an empty one', { 'x-auth-token': '' }],
  ['one that nobody was given', { authorization: `Bearer ${UNKNOWN}` }],
  ['one that is far too long', { 'x-auth-token': `hatoba_${'A'.repeat(8000)}` }],
  ["somebody else's", { 'x-auth-token': 'gAAAAABlsecretsecret' }],
  ['a password', { authorization: 'Basic c2VjcmV0' }],
  ['two', { authorization: `Bearer ${UNKNOWN} ${UNKNOWN}` }],
])('with %s, nobody gets in, and nothing of it is quoted', async (_name, headers) => {
  await using tcp = await openTokenBench();
  const answer = await ask(tcp.port, '/v1/forwards', { headers });
  expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  expect(JSON.parse(answer.body).code).toBe('not_authenticated');
  for (const part of ['AAAA', 'secret', 'c2Vj']) expect(answer.body).not.toContain(part);
});

test('a token that was revoked is refused from then on', async () => {
  await using tcp = await openTokenBench();
  const { token, secret } = await issue(tcp, 'reader', null);
  const headers = { 'x-auth-token': secret };
  expect((await ask(tcp.port, '/v1/forwards', { headers })).status).toBe(200);
  await tcp.bench.registry.tokens.revoke(token.id);
  expect((await ask(tcp.port, '/v1/forwards', { headers })).status).toBe(401);
});

test('a token is refused once its time has come', async () => {
  await using tcp = await openTokenBench();
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const { secret } = await issue(tcp, 'reader', null, expiresAt);
  const headers = { 'x-auth-token': secret };
  expect((await ask(tcp.port, '/v1/forwards', { headers })).status).toBe(200);
  setClockForward(60_001);
  const { status, body } = await ask(tcp.port, '/v1/forwards', { headers });
  expect([status, JSON.parse(body).detail]).toEqual([401, 'it is not known who asks: the token t0 has expired']);
});

test('its role and its project are what it may do', async () => {
  await using tcp = await openTokenBench();
  const ask403 = async (role: Role, project: string | null, path: string, method = 'GET') => {
    const { secret } = await issue(tcp, role, project);
    const answer = await ask(tcp.port, path, { method, headers: { 'x-auth-token': secret } });
    return answer.status === 403 ? JSON.parse(answer.body).code : answer.status;
  };
  expect(await ask403('reader', null, '/v1/forwards/zz', 'DELETE')).toBe('role_missing');
  expect(await ask403('member', null, '/v1/forwards/zz', 'DELETE')).toBe(404);
  expect(await ask403('member', null, '/v1/tokens')).toBe('role_missing');
  expect(await ask403('admin', 'red', '/v1/tokens')).toBe('all_projects_needed');
  expect(await ask403('admin', null, '/v1/tokens')).toBe(200);
});

test('who cannot be known may see that the daemon answers, and no more', async () => {
  await using tcp = await openTokenBench();
  expect((await ask(tcp.port, '/healthz')).status).toBe(200);
  expect((await ask(tcp.port, '/metrics')).status).toBe(401);
});

const ALICE: Caller = { name: 'keystone alice', role: 'reader', project: null, allProjects: true };

test("others are asked for tokens that are not ours, and their errors are the answer's", async () => {
  const asked: string[] = [];
  await using tcp = await openTokenBench(async (token) => {
    asked.push(token);
    if (token === 'away') throw hatobaError('not_ready', { reason: 'Keystone is away' });
    return token === 'alice' ? ALICE : null;
  });
  const statusOf = async (token: string) =>
    (await ask(tcp.port, '/v1/forwards', { headers: { 'x-auth-token': token } })).status;
  expect(await statusOf('alice')).toBe(200);
  expect(await statusOf('mallory')).toBe(401);
  expect(await statusOf('away')).toBe(503);
  // Ours are never shown to anybody else.
  expect(await statusOf(UNKNOWN)).toBe(401);
  expect(await statusOf('hatoba_cut-off')).toBe(401);
  expect(asked).toEqual(['alice', 'mallory', 'away']);
});

test('an event stream ends with the token that it was opened with, and tells nothing more', async () => {
  await using tcp = await openTokenBench();
  const { registry } = tcp.bench;
  const { token, secret } = await issue(tcp, 'reader', null);
  const stream = request({ port: tcp.port, path: '/v1/events', headers: { 'x-auth-token': secret } }).end();
  const [response] = await once(stream, 'response');
  let told = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const first = await registry.forwards.create(spec());
  while (!told.includes(first.id)) await new Promise(setImmediate);
  await registry.tokens.revoke(token.id);
  const second = await registry.forwards.create(spec({ external_port: '5002' }));
  await once(response, 'end');
  expect(told).not.toContain(second.id);
});
