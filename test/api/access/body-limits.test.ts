import { expect, test } from 'vitest';
import type { Authenticate } from '../../../src/api/access/guard.ts';
import type { Caller } from '../../../src/model/caller.ts';
import { ask, openTcpBench } from '../tcp-under-test.ts';

const RED: Caller = { name: 'token red', role: 'member', project: 'red', allProjects: false };
const ALL: Caller = { ...RED, name: 'token all', project: null, allProjects: true };
const LIMIT = 1024 * 1024;

const as =
  (caller: Caller): (() => Authenticate) =>
  () =>
  async () =>
    caller;

/** What is said to so many bytes, which are no good anyway. */
async function codeOf(port: number, bytes: number, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const empty = { forwards: [], router: '' };
  const body = { ...empty, router: 'x'.repeat(bytes - JSON.stringify(empty).length) };
  const answer = await ask(port, '/v1/apply', { method: 'POST', headers, body });
  return JSON.parse(answer.body).code;
}

test.each([
  ['with its length said', {}],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
])('a caller of one project sends no more than a megabyte at once, %s', async (_name, headers) => {
  await using tcp = await openTcpBench(as(RED));
  expect(await codeOf(tcp.port, LIMIT, headers)).toBe('router_malformed');
  expect(await codeOf(tcp.port, LIMIT + 1, headers)).toBe('body_too_large');
  expect(await codeOf(tcp.port, 4 * LIMIT, headers)).toBe('body_too_large');
});

test('a caller of all projects does', async () => {
  await using tcp = await openTcpBench(as(ALL));
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }])
    expect(await codeOf(tcp.port, 4 * LIMIT, headers)).toBe('router_malformed');
});

test('what may be as large for nobody stays as it is', async () => {
  await using tcp = await openTcpBench(as(RED));
  const answer = await ask(tcp.port, '/v1/forwards', { method: 'POST', body: { name: 'x'.repeat(70_000) } });
  expect(JSON.parse(answer.body).detail).toBe('the request body is larger than 65536 bytes');
});
