import { pino } from 'pino';
import { expect, test } from 'vitest';
import { authenticateSocket } from '../../src/api/access/local-callers.ts';
import { createApi } from '../../src/api/api.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { openBench, wish } from './api-under-test.ts';

const json = { 'content-type': 'application/json' };

test.for([
  ['broken JSON', json, '{"router":', 'request_malformed'],
  ['no JSON', json, '', 'request_malformed'],
  ['a prototype', json, '{"__proto__": {"a": 1}}', 'request_malformed'],
  ['another content type', { 'content-type': 'text/plain' }, JSON.stringify(wish()), 'request_malformed'],
  ['no content type', {}, JSON.stringify(wish()), 'request_malformed'],
  ['a list', json, '[]', 'request_malformed'],
  ['null', json, 'null', 'request_malformed'],
  ['nesting without end', json, `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'request_malformed'],
  ['too much', json, JSON.stringify({ ...wish(), description: 'x'.repeat(70_000) }), 'body_too_large'],
] as const)('%s as a body', async ([, headers, payload, code]) => {
  await using bench = await openBench();
  const answer = await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', headers, payload });
  const status = code === 'body_too_large' ? 413 : 400;
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.json()).toMatchObject({ type: `urn:hatoba:error:${code}`, status, code });
  expect(bench.registry.forwards.list()).toEqual([]);
});

test('a body is never missing silently', async () => {
  await using bench = await openBench();
  for (const method of ['POST', 'PATCH'] as const) {
    const url = method === 'POST' ? '/v1/forwards' : '/v1/forwards/a';
    expect((await bench.api.inject({ method, url })).json()).toMatchObject({ code: 'request_malformed' });
  }
});

test.for([
  ['GET', '/v2/forwards'],
  ['PUT', '/v1/forwards'],
  ['DELETE', '/v1/forwards'],
  ['POST', '/v1/routers'],
] as const)('nothing is at %s %s', async ([method, url]) => {
  await using bench = await openBench();
  const answer = await bench.api.inject({ method, url });
  expect(answer.json()).toMatchObject({ status: 404, code: 'path_not_found' });
});

test.for(['%zz', 'a'.repeat(300)])('no reference at all: %s', async (reference) => {
  await using bench = await openBench();
  const answer = await bench.api.inject(`/v1/forwards/${reference}`);
  expect(answer.json()).toMatchObject({ status: 400, code: 'request_malformed' });
});

test('a problem has a title, a hint and the field, and hides what it quotes from terminals', async () => {
  await using bench = await openBench();
  const payload = wish({ internal_address: 'a\u001b[2Jb' });
  const answer = await bench.api.inject({ method: 'POST', url: '/v1/forwards', payload });
  expect(answer.json()).toEqual({
    type: 'urn:hatoba:error:address_malformed',
    title: 'Address malformed',
    status: 400,
    detail: 'a\\u001b[2Jb is not an IP address',
    code: 'address_malformed',
    hint: expect.stringContaining('192.168.50.11'),
    field: 'internal_address',
  });
});

test('a bug is internal_error, tells nothing of the inside, and is logged with its stack', async () => {
  await using bench = await openBench();
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const node = {
    version: '0',
    name: 'n1',
    get driver(): string {
      throw new Error('secret');
    },
    startedAt: '',
    store: '',
    roles: [],
  };
  const api = createApi({ registry: bench.registry, authenticate: authenticateSocket, node, log });
  const answer = await api.inject('/v1/status');
  await api.close();
  expect(answer.json()).toMatchObject({ status: 500, code: 'internal_error' });
  expect(answer.body).not.toContain('secret');
  expect(answer.json().detail).toContain('request req-');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('secret');
  expect(lines[0]).toContain('problem.test.ts');
});

test.each(['/v1/forwards', '/v2.0/floatingips'])(
  'what is told once, when it begins, is not logged for every %s that meets it',
  async (path) => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const authenticate = async () => {
      throw hatobaError('authentication_unavailable', { reason: 'Keystone is away' });
    };
    await using bench = await openBench({ authenticate, log });
    expect((await bench.api.inject(path)).statusCode).toBe(503);
    expect(lines).toEqual([]);
  },
);
