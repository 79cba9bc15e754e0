import { describe, expect, test } from 'vitest';
import { setClockForward } from '../../support/clock.ts';
import { openBench } from '../api-under-test.ts';

const CI = { name: 'ci', role: 'member', project: 'red' };
const post = (payload: object) => ({ method: 'POST', url: '/v1/tokens', payload }) as const;

test('a token is made, with its secret told this once', async () => {
  await using bench = await openBench();
  const created = await bench.api.inject(post({ ...CI, expires_in: 3600 }));
  const document = created.json();
  expect([created.statusCode, created.headers['cache-control']]).toEqual([201, 'no-store']);
  expect(created.headers.location).toBe(`/v1/tokens/${document.id}`);
  expect(document).toMatchObject({ ...CI, state: 'valid', created_by: 'socket' });
  expect(Date.parse(document.expires_at) - Date.parse(document.created_at)).toBeGreaterThan(3_590_000);
  const { secret, ...shown } = document;
  expect(bench.registry.tokens.withSecret(secret)?.id).toBe(document.id);
  expect((await bench.api.inject('/v1/tokens/ci')).json()).toEqual(shown);
  expect((await bench.api.inject('/v1/tokens')).json()).toEqual({ tokens: [shown] });
});

test('it acts for all projects and for ever where nothing else is said', async () => {
  await using bench = await openBench();
  const created = await bench.api.inject(post({ name: 'root', role: 'admin' }));
  expect(created.json()).toMatchObject({ project: null, expires_at: null });
});

test('a token that has expired is listed as such, and can be revoked', async () => {
  await using bench = await openBench();
  const expires_at = new Date(Date.now() + 60_000).toISOString();
  await bench.api.inject(post({ ...CI, expires_at }));
  setClockForward(60_001);
  expect((await bench.api.inject('/v1/tokens')).json().tokens).toMatchObject([{ name: 'ci', state: 'expired' }]);
  const revoked = await bench.api.inject({ method: 'DELETE', url: '/v1/tokens/ci' });
  expect(revoked.json()).toEqual({ id: expect.any(String), revision: bench.registry.forwards.revision() });
  expect((await bench.api.inject('/v1/tokens')).json()).toEqual({ tokens: [] });
});

describe('nothing is made of', () => {
  test.each([
    [{}, 'request_malformed', 'name'],
    [{ ...CI, role: 'root' }, 'request_malformed', 'role'],
    [{ name: 'ci', project: 'red' }, 'request_malformed', 'role'],
    [{ ...CI, secret: 'mine' }, 'request_malformed', 'secret'],
    [{ ...CI, name: '' }, 'name_malformed', 'name'],
    [{ ...CI, name: 'a/b' }, 'name_malformed', 'name'],
    [{ ...CI, project: '' }, 'text_malformed', 'project'],
    [{ ...CI, project: 'a\nb' }, 'text_malformed', 'project'],
    [{ ...CI, expires_at: 'tomorrow' }, 'time_malformed', 'expires_at'],
    [{ ...CI, expires_at: '2026-01-01T00:00:00Z' }, 'expiry_past', 'expires_at'],
    [{ ...CI, expires_at: null, expires_in: 5 }, 'request_malformed', 'expires_in'],
  ])('%j: %s', async (payload, code, field) => {
    await using bench = await openBench();
    const answer = await bench.api.inject(post(payload));
    expect([answer.statusCode, answer.json().code, answer.json().field]).toEqual([400, code, field]);
    expect(bench.registry.tokens.list()).toEqual([]);
  });
});

test.each(['GET', 'DELETE'] as const)('%s of a token that is not there is told', async (method) => {
  await using bench = await openBench();
  const answer = await bench.api.inject({ method, url: '/v1/tokens/nobody' });
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'token_not_found']);
});

test('a name that is taken is told', async () => {
  await using bench = await openBench();
  await bench.api.inject(post(CI));
  const answer = await bench.api.inject(post(CI));
  expect([answer.statusCode, answer.json().code]).toEqual([409, 'token_name_taken']);
});
