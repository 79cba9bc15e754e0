import { afterEach, beforeEach, expect, test } from 'vitest';
import { setClockForward } from '../support/clock.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

test('a token is made, and its secret alone is the output', async () => {
  const { stdout, stderr, exit } = await bench.run('token', 'create', 'ci', '--role', 'member', '--project', 'red');
  expect(exit).toBe(0);
  expect(bench.registry.tokens.withSecret(stdout.trimEnd())).toMatchObject({
    name: 'ci',
    role: 'member',
    project: 'red',
  });
  expect(stderr).toBe('token ci, member of project red, is valid for ever; it is told this once:\n');
});

test('without a role it may look, and no more', async () => {
  const { stdout, stderr } = await bench.run('token', 'create', 'ci', '--expires', '2090-01-01T00:00:00Z');
  expect(bench.registry.tokens.withSecret(stdout.trimEnd())).toMatchObject({ role: 'reader', project: null });
  expect(stderr).toBe(
    'token ci, reader of all projects, is valid until 2090-01-01T00:00:00.000Z; it is told this once:\n',
  );
});

test('programs get the whole object', async () => {
  const { stdout, stderr } = await bench.run('token', 'create', 'ci', '--expires', '30d', '-o', 'json');
  const { secret, expires_at } = JSON.parse(stdout);
  expect(stderr).toBe('');
  expect(bench.registry.tokens.withSecret(secret)?.expiresAt).toBe(expires_at);
  expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(29.9 * 86_400_000);
});

test('tokens are listed without their secrets, those that have expired as such', async () => {
  const { stdout: secret } = await bench.run('token', 'create', 'ci', '--role', 'admin', '--project', 'red');
  await bench.run('token', 'create', 'short', '--expires', '60s');
  setClockForward(60_001);
  const { stdout } = await bench.run('token', 'list');
  expect(
    stdout.replaceAll(/^[\da-f]{8}\S*/gm, '<id>').replaceAll(/20\S+Z/g, '<time>'),
  ).toBe(`ID        NAME   ROLE    PROJECT  STATE    EXPIRES_AT
<id>  ci     admin   red      valid    -
<id>  short  reader  -        expired  <time>
`);
  for (const form of ['wide', 'json', 'yaml', 'csv'])
    expect((await bench.run('token', 'list', '-o', form)).stdout).not.toContain(secret.trimEnd().slice(7));
  expect(JSON.parse((await bench.run('token', 'list', '-o', 'json')).stdout)).toMatchObject([{ name: 'ci' }, {}]);
});

test('no tokens', async () => {
  expect(await bench.run('token', 'list')).toEqual({
    stdout: '',
    stderr: 'there are no API tokens; `hatoba token create NAME` makes one\n',
    exit: 0,
  });
});

test('tokens are revoked by name or id; one that is not there keeps the others from nothing', async () => {
  await bench.run('token', 'create', 'ci');
  await bench.run('token', 'create', 'ops');
  const id = bench.registry.tokens.find('ops').id;
  const { stdout, stderr, exit } = await bench.run('token', 'revoke', 'ci', 'zz', id);
  expect(masked(stdout)).toBe('token ci (<id>…) is revoked\ntoken ops (<id>…) is revoked\n');
  expect(stderr).toBe('hatoba: there is no API token zz\n  hint: `hatoba token list` shows them all.\n');
  expect(exit).toBe(3);
  expect(bench.registry.tokens.list()).toEqual([]);
});

test.each([
  [['ci', '--role', 'root'], 2, '--role: root is not one of reader, member, admin'],
  [['a/b'], 2, 'argument name: a/b cannot be a name'],
  [['ci', '--project', ''], 2, '--project: "" is too long, or has control characters or broken Unicode'],
  [['ci', '--expires', 'soon'], 2, '--expires: soon is not a time'],
  [[], 2, 'the argument name is missing'],
])('token create %j is refused', async (words, code, message) => {
  const { stderr, exit } = await bench.run('token', 'create', ...words);
  expect({ exit, stderr }).toEqual({ exit: code, stderr: expect.stringContaining(message) });
  expect(bench.registry.tokens.list()).toEqual([]);
});

test('names are completed', async () => {
  await bench.run('token', 'create', 'ci');
  expect((await bench.run('__complete', 'token', 'revoke', '')).stdout).toContain('ci\n');
});
