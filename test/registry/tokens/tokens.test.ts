import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseApiTokenSpec } from '../../../src/model/api-token.ts';
import { printTime } from '../../../src/model/time.ts';
import { type OpenRegistry, openRegistry } from '../../../src/registry/open-registry.ts';
import { openBench } from '../../api/api-under-test.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

let store: TemporaryStore;
let registry: OpenRegistry;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
});

afterEach(async () => {
  await registry.stop();
  await store.remove();
});

const SPEC = parseApiTokenSpec({ name: 'ci', role: 'member', project: 'red' });
const named = (name: string) => ({ ...SPEC, name });

test('a token is known by its secret, from its creation until it is revoked', async () => {
  const { tokens } = registry;
  const { token, secret, revision: made } = await tokens.create(SPEC, 'socket');
  expect((await store.read('')).revision).toBe(made);
  expect(token).toMatchObject({ ...SPEC, createdBy: 'socket' });
  expect(secret).toMatch(/^hatoba_[\w-]{43}$/);
  expect(tokens.withSecret(secret)).toEqual(token);
  const revision = await tokens.revoke(token.id);
  expect((await store.read('')).revision).toBe(revision);
  expect(tokens.withSecret(secret)).toBeUndefined();
  expect(tokens.list()).toEqual([]);
  expect((await store.read('')).entries).toEqual([]);
});

test('no two secrets are alike, and a part of one is none', async () => {
  const { tokens } = registry;
  const issued = await Promise.all(['one', 'two', 'three'].map((name) => tokens.create(named(name), 'socket')));
  expect(new Set(issued.map(({ secret }) => secret)).size).toBe(3);
  const { secret, token } = issued[0] ?? { secret: '', token: null };
  for (const wrong of ['', secret.slice(0, -1), `${secret}A`, secret.slice(7), secret.toUpperCase()])
    expect(tokens.withSecret(wrong), wrong).toBeUndefined();
  expect(tokens.withSecret(token?.secretHash ?? '')).toBeUndefined();
});

test('the secret is in no file of the store', async () => {
  await using bench = await openBench();
  const { secret, token } = await bench.registry.tokens.create(SPEC, 'socket');
  const files = readdirSync(bench.directory).map((name) => readFileSync(join(bench.directory, name), 'latin1'));
  expect(files.some((text) => text.includes(token.secretHash))).toBe(true);
  expect(files.some((text) => text.includes(secret.slice(7)))).toBe(false);
});

test('a name can be had once, and again after its token was revoked', async () => {
  const { tokens } = registry;
  const { token } = await tokens.create(SPEC, 'socket');
  await expect(tokens.create(SPEC, 'socket')).rejects.toMatchObject({ code: 'token_name_taken', field: 'name' });
  expect(tokens.list()).toEqual([token]);
  await tokens.revoke(token.id);
  expect((await tokens.create(SPEC, 'socket')).token.id).not.toBe(token.id);
});

describe('a token that has expired', () => {
  const DAY = 24 * 3_600_000;
  const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');
  const at = (days: number) => vi.setSystemTime(BEGIN + days * DAY);
  const until = (days: number, name = 'ci') => ({ ...SPEC, name, expiresAt: printTime(BEGIN + days * DAY) });
  const names = () => registry.tokens.list().map(({ name }) => name);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    at(0);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('leaves its name to another', async () => {
    const { tokens } = registry;
    const { token: old, secret } = await tokens.create(until(1), 'socket');
    await expect(tokens.create(SPEC, 'socket')).rejects.toMatchObject({ code: 'token_name_taken' });
    at(1);
    const { token } = await tokens.create(SPEC, 'socket');
    expect([tokens.list(), tokens.find('ci'), tokens.withSecret(secret)]).toEqual([[token], token, undefined]);
    expect(() => tokens.find(old.id)).toThrow(expect.objectContaining({ code: 'token_not_found' }));
    await expect(tokens.create(SPEC, 'socket')).rejects.toMatchObject({ code: 'token_name_taken' });
    await tokens.revoke(token.id);
    expect((await store.read('')).entries).toEqual([]);
  });

  test('is forgotten when one is made after thirty days', async () => {
    const { tokens } = registry;
    for (const [name, days] of [
      ['old', 1],
      ['older', 1],
      ['new', 3],
    ] as const)
      await tokens.create(until(days, name), 'socket');
    await tokens.create(named('always'), 'socket');
    at(30.5);
    await tokens.create(named('one'), 'socket');
    expect(names().toSorted()).toEqual(['always', 'new', 'old', 'older', 'one']);
    at(31);
    await tokens.create(named('two'), 'socket');
    expect(names().toSorted()).toEqual(['always', 'new', 'one', 'two']);
    expect((await store.read('token')).entries).toHaveLength(8);
    await tokens.create(named('old'), 'socket');
  });

  test('leaves its name to one alone, where two nodes want it at once', async () => {
    const other = await openRegistry(store);
    const { secret } = await registry.tokens.create(until(1), 'socket');
    await expect.poll(() => other.tokens.withSecret(secret)).toBeDefined();
    at(40);
    const outcomes = await Promise.allSettled([registry, other].map(({ tokens }) => tokens.create(SPEC, 'socket')));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [refused] = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({ reason: { code: 'token_name_taken' } });
    expect(registry.tokens.list()).toHaveLength(1);
    await other.stop();
  });

  test('is in the way of nobody who makes one on another node, when both forget it', async () => {
    const other = await openRegistry(store);
    const { secret } = await registry.tokens.create(until(1), 'socket');
    await expect.poll(() => other.tokens.withSecret(secret)).toBeDefined();
    at(40);
    await Promise.all([registry, other].map(({ tokens }, node) => tokens.create(named(`n${node}`), 'socket')));
    await expect.poll(() => names().toSorted()).toEqual(['n0', 'n1']);
    await other.stop();
  });
});

test('of two that want one name at once, one gets it', async () => {
  const outcomes = await Promise.allSettled([1, 2].map(() => registry.tokens.create(SPEC, 'socket')));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(registry.tokens.list()).toHaveLength(1);
});

test('a token cannot be made that has expired already', async () => {
  const past = { ...SPEC, expiresAt: '2026-01-01T00:00:00.000Z' };
  await expect(registry.tokens.create(past, 'socket')).rejects.toMatchObject({
    code: 'expiry_past',
    field: 'expires_at',
  });
  expect((await store.read('')).entries).toEqual([]);
});

test('tokens are found by id, by name, and by the beginning of an id', async () => {
  const { tokens } = registry;
  const { token } = await tokens.create(SPEC, 'socket');
  for (const reference of [token.id, token.id.toUpperCase(), 'ci', token.id.slice(0, 8)])
    expect(tokens.find(reference), reference).toEqual(token);
  expect(() => tokens.find('zz')).toThrow(expect.objectContaining({ code: 'token_not_found' }));
  expect(() => tokens.find('')).toThrow(expect.objectContaining({ code: 'token_not_found' }));
});

test('the beginning that two ids have in common names neither', async () => {
  const { tokens } = registry;
  const first = new Map<string, string>();
  for (let n = 0; ; n++) {
    const { id } = (await tokens.create(named(`t${n}`), 'socket')).token;
    const digit = id.charAt(0);
    if (first.has(digit)) {
      expect(() => tokens.find(digit)).toThrow(expect.objectContaining({ code: 'token_ambiguous' }));
      return;
    }
    first.set(digit, id);
  }
});

test('what one daemon does, another one on the same store follows', async () => {
  const other = await openRegistry(store);
  const { token, secret } = await registry.tokens.create(SPEC, 'socket');
  while (other.tokens.withSecret(secret) === undefined) await new Promise(setImmediate);
  expect(other.tokens.list()).toEqual([token]);
  await expect(other.tokens.create(SPEC, 'socket')).rejects.toMatchObject({ code: 'token_name_taken' });
  await other.tokens.revoke(token.id);
  while (registry.tokens.withSecret(secret) !== undefined) await new Promise(setImmediate);
  await expect(registry.tokens.revoke(token.id)).rejects.toMatchObject({ code: 'token_not_found' });
  await other.stop();
});

test('tokens are there again after a restart', async () => {
  const { token, secret } = await registry.tokens.create({ ...SPEC, project: null }, 'token root');
  await registry.stop();
  registry = await openRegistry(store);
  expect(registry.tokens.withSecret(secret)).toEqual(token);
});

test.each([
  ['of another key', { id: '9a8b7c6d-0000-4000-8000-000000000002' }],
  ['with a role that is none', { role: 'root' }],
  ['with a secret in place of its hash', { secret_hash: 'hatoba_x' }],
  ['that does not say for which project', { project: undefined }],
])('a record %s is refused', async (_name, wrong) => {
  const { token } = await registry.tokens.create(SPEC, 'socket');
  const key = `tokens/${token.id}`;
  const [entry] = (await store.read(key)).entries;
  const other = openTemporaryStore();
  const value = JSON.stringify({ ...JSON.parse(entry?.value ?? ''), ...wrong });
  await other.commit({ puts: [{ key, value }] });
  await expect(openRegistry(other)).rejects.toMatchObject({
    code: 'store_unreadable',
    message: expect.stringContaining(key),
  });
  await other.remove();
});

test('the list begins with the oldest', async () => {
  const { tokens } = registry;
  for (const name of ['c', 'a', 'b']) {
    await tokens.create(named(name), 'socket');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(tokens.list().map(({ name }) => name)).toEqual(['c', 'a', 'b']);
});
