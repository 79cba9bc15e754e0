import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import type { Forward } from '../../../src/model/forward.ts';
import type { RouterStatus } from '../../../src/model/status.ts';
import { printTime } from '../../../src/model/time.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { Forwards, ForwardsChange, Registry } from '../../../src/registry/registry.ts';
import { setClockForward } from '../../support/clock.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

let store: TemporaryStore;
let registry: Registry;
let forwards: Forwards;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store);
  forwards = registry.forwards;
});

afterEach(async () => {
  await registry.stop();
  await store.remove();
});

describe('create', () => {
  test('gives it an id, a revision and times, and is in every view at once', async () => {
    const forward = await forwards.create(spec({ name: 'web' }));
    expect(forward).toMatchObject(spec({ name: 'web' }));
    expect(forward.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(forward.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(forward.updatedAt).toBe(forward.createdAt);
    expect(forwards.revision()).toBe(forward.revision);
    expect(forwards.get(forward.id)).toEqual(forward);
    expect(forwards.find('web')).toEqual(forward);
    expect(forwards.list()).toEqual([forward]);
    expect([...forwards.ofRouter('r1').values()]).toEqual([forward]);
    expect(Object.isFrozen(forward)).toBe(true);
  });

  test('keeps all that was asked for, over a new start', async () => {
    const full = spec({
      name: 'dns',
      description: 'the ☂ resolver',
      project_id: 'p1',
      labels: { tier: 'one' },
      protocol: 'udp',
      external_address: '2001:db8::1',
      internal_address: 'fd00::11',
      internal_port: 53,
      enabled: false,
    });
    const forward = await forwards.create(full);
    await reopen();
    expect(forwards.list()).toEqual([forward]);
    expect(forward).toMatchObject(full);
  });

  test('ranges and sources: the same ports for other sources, not for some of the same', async () => {
    const range = { external_port: '6000-6009', internal_port: '7000-7009' };
    await forwards.create(spec({ ...range, sources: ['192.0.2.0/24'] }));
    await forwards.create(spec({ ...range, sources: ['198.51.100.0/24'] }));
    for (const change of [{ sources: ['192.0.2.7'] }, { sources: [] }, { sources: ['203.0.113.1', '198.51.100.1'] }]) {
      const other = spec({ external_port: 6009, internal_port: 22, ...change });
      await expect(forwards.create(other)).rejects.toMatchObject({ code: 'forward_conflict', field: 'external_port' });
    }
    expect(forwards.list()).toHaveLength(2);
  });

  test('refuses a name that another forward has, on any router', async () => {
    await forwards.create(spec({ name: 'web' }));
    const other = spec({ name: 'web', router: 'r2' });
    await expect(forwards.create(other)).rejects.toMatchObject({ code: 'name_taken', field: 'name' });
    expect(forwards.list()).toHaveLength(1);
  });

  test('lets one of many racing for the same port win', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => forwards.create(spec({ name: `n${index}` }))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', ...Array<string>(19).fill('rejected')]);
    expect(forwards.list()).toHaveLength(1);
  });
});

describe('conflicts', () => {
  test('name the forward in the way by its name, else by its id', async () => {
    const { id } = await forwards.create(spec());
    await forwards.create(spec({ external_port: 5002, name: 'web' }));
    await expect(forwards.create(spec())).rejects.toMatchObject({
      code: 'forward_conflict',
      field: 'external_port',
      message: `tcp port 5001 on gateway already leads elsewhere, by forward ${id}`,
    });
    await expect(forwards.create(spec({ external_port: 5002 }))).rejects.toThrow(/by forward web$/);
  });

  test('need the same router, protocol, port and address', async () => {
    await forwards.create(spec());
    await forwards.create(spec({ router: 'r2' }));
    await forwards.create(spec({ protocol: 'udp' }));
    await forwards.create(spec({ external_port: 5002 }));
    await forwards.create(spec({ external_address: '203.0.113.7' }));
    await forwards.create(spec({ external_address: '203.0.113.8' }));
    await forwards.create(spec({ internal_address: 'fd00::11' }));
    const again = spec({ external_address: '203.0.113.7', enabled: false });
    await expect(forwards.create(again)).rejects.toMatchObject({ code: 'forward_conflict' });
    expect(forwards.list()).toHaveLength(7);
  });

  test('see through the word gateway where its address is known', async () => {
    const named = spec({ external_address: '192.0.2.100' });
    await registry.statuses.publish('node1', [status('r1', '192.0.2.100')], []);
    await forwards.create(named);
    await expect(forwards.create(spec())).rejects.toThrow('tcp port 5001 on 192.0.2.100 already leads elsewhere');
    await forwards.create(spec({ router: 'r2', external_address: '192.0.2.100' }));
    await forwards.create(spec({ router: 'r2' }));
  });

  test('that a changed gateway brought about do not stop other changes', async () => {
    const named = await forwards.create(spec({ external_address: '192.0.2.100' }));
    const { id } = await forwards.create(spec());
    await registry.statuses.publish('node1', [status('r1', '192.0.2.100')], []);
    expect((await forwards.update(id, (before) => ({ ...before, enabled: false }))).enabled).toBe(false);
    const back = forwards.update(named.id, (before) => ({ ...before, protocol: 'udp' }));
    await expect(back).resolves.toMatchObject({ protocol: 'udp' });
    const there = forwards.update(named.id, (before) => ({ ...before, protocol: 'tcp' }));
    await expect(there).rejects.toMatchObject({ code: 'forward_conflict' });
  });

  test('end when the forward in the way is removed or moved', async () => {
    const first = await forwards.create(spec());
    await forwards.remove(first.id);
    const second = await forwards.create(spec());
    await forwards.update(second.id, (before) => ({ ...before, externalPorts: { first: 6001, last: 6001 } }));
    await forwards.create(spec());
    await expect(forwards.create(spec({ external_port: 6001 }))).rejects.toMatchObject({ code: 'forward_conflict' });
  });
});

describe('an expiry', () => {
  const past = () => printTime(Date.now() - 1);
  const soon = () => printTime(Date.now() + 60_000);

  test('is kept, over a new start', async () => {
    const forward = await forwards.create(spec({ expires_at: '2999-12-31T23:59:59+01:00' }));
    expect(forward.expiresAt).toBe('2999-12-31T22:59:59.000Z');
    await reopen();
    expect(forwards.get(forward.id)).toEqual(forward);
  });

  test('that has passed is refused, of a new forward and as a change', async () => {
    const { code, field } = { code: 'expiry_past', field: 'expires_at' };
    const expires_at = past();
    await expect(forwards.create(spec({ expires_at }))).rejects.toMatchObject({ code, field });
    const { id, revision } = await forwards.create(spec());
    await expect(forwards.update(id, () => spec({ expires_at }))).rejects.toMatchObject({ code, field });
    await expect(forwards.update(id, () => spec({ expires_at }))).rejects.toThrow(expires_at);
    expect(forwards.revision()).toBe(revision);
  });

  test('that has passed stays as it is while something else is changed, keeps its place, and can be renewed', async () => {
    const { id } = await forwards.create(spec({ expires_at: soon() }));
    setClockForward(60_001);
    await expect(forwards.create(spec())).rejects.toMatchObject({ code: 'forward_conflict' });
    const renamed = await forwards.update(id, (before) => ({ ...before, name: 'web' }));
    expect(renamed.name).toBe('web');
    const later = soon();
    expect((await forwards.update(id, (before) => ({ ...before, expiresAt: later }))).expiresAt).toBe(later);
    expect((await forwards.update(id, (before) => ({ ...before, expiresAt: null }))).expiresAt).toBeNull();
  });

  test('is none where a forward was written before there were any', async () => {
    const { id } = await forwards.create(spec());
    const [entry] = (await store.read('forwards/')).entries;
    const { expires_at, ...fields } = JSON.parse(entry?.value ?? '');
    expect(expires_at).toBeNull();
    await store.commit({ puts: [{ key: entry?.key ?? '', value: JSON.stringify(fields) }] });
    await reopen();
    expect(forwards.get(id)?.expiresAt).toBeNull();
  });
});

describe('update', () => {
  test('changes what it is asked to, and the revision', async () => {
    const before = await forwards.create(spec());
    const after = await forwards.update(before.id, (current) => ({ ...current, enabled: false }), before.revision);
    expect(after).toEqual({ ...before, enabled: false, revision: after.revision, updatedAt: after.updatedAt });
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(forwards.get(before.id)).toEqual(after);
    expect(forwards.revision()).toBe(after.revision);
  });

  test('takes no revision where nothing changes', async () => {
    const before = await forwards.create(spec({ labels: { a: '1' } }));
    expect(await forwards.update(before.id, () => spec({ labels: { a: '1' } }))).toEqual(before);
    expect((await store.read('')).revision).toBe(before.revision);
  });

  test('moves it to another router, name and all', async () => {
    const before = await forwards.create(spec({ name: 'web' }));
    const after = await forwards.update(before.id, (current) => ({ ...current, router: 'r2', name: 'www' }));
    expect(forwards.ofRouter('r1').size).toBe(0);
    expect([...forwards.ofRouter('r2').values()]).toEqual([after]);
    expect(forwards.find('www')).toEqual(after);
    expect(() => forwards.find('web')).toThrow(expect.objectContaining({ code: 'forward_not_found' }));
    await forwards.create(spec({ name: 'web' }));
    await reopen();
    expect(forwards.list()).toHaveLength(2);
    expect(forwards.find('www')).toEqual(after);
  });

  test('to a place that is taken changes nothing', async () => {
    const taken = await forwards.create(spec({ name: 'taken', router: 'r2' }));
    const before = await forwards.create(spec());
    const { revision } = before;
    const moved = forwards.update(before.id, (current) => ({ ...current, router: 'r2' }));
    await expect(moved).rejects.toMatchObject({ code: 'forward_conflict' });
    const renamed = forwards.update(before.id, (current) => ({ ...current, name: 'taken' }));
    await expect(renamed).rejects.toMatchObject({ code: 'name_taken' });
    expect(forwards.list().toSorted(byRevision)).toEqual([taken, before].toSorted(byRevision));
    expect((await store.read('')).revision).toBe(revision);
  });

  test('lets names be exchanged by way of a third', async () => {
    const a = await forwards.create(spec({ name: 'a' }));
    const b = await forwards.create(spec({ name: 'b', external_port: 5002 }));
    await forwards.update(a.id, (current) => ({ ...current, name: 'c' }));
    await forwards.update(b.id, (current) => ({ ...current, name: 'a' }));
    await forwards.update(a.id, (current) => ({ ...current, name: 'b' }));
    expect([forwards.find('a').id, forwards.find('b').id]).toEqual([b.id, a.id]);
  });

  test('is refused at another revision, or without the forward', async () => {
    const { id, revision } = await forwards.create(spec());
    const unchanged = (expected?: number) => forwards.update(id, (current) => ({ ...current, name: 'x' }), expected);
    await expect(unchanged(revision + 1)).rejects.toMatchObject({ code: 'revision_mismatch' });
    await forwards.remove(id);
    await expect(unchanged()).rejects.toMatchObject({ code: 'forward_not_found' });
  });
});

describe('remove', () => {
  test('leaves nothing behind, but that it was removed', async () => {
    const { id } = await forwards.create(spec({ name: 'web' }));
    const revision = await forwards.remove(id);
    expect(forwards.get(id)).toBeUndefined();
    expect(forwards.list()).toEqual([]);
    expect(forwards.revision()).toBe(revision);
    const removal = { key: expect.stringMatching(/^removals\//), value: expect.stringContaining(id), revision };
    expect(await store.read('')).toEqual({ revision, entries: [removal] });
  });

  test('is refused at another revision, or the second time', async () => {
    const { id, revision } = await forwards.create(spec());
    await expect(forwards.remove(id, revision - 1)).rejects.toMatchObject({ code: 'revision_mismatch' });
    await forwards.remove(id, revision);
    await expect(forwards.remove(id)).rejects.toMatchObject({ code: 'forward_not_found' });
  });
});

describe('find', () => {
  test('takes an id, the beginning of one, or a name', async () => {
    const { id } = await forwards.create(spec({ name: 'Web' }));
    for (const reference of [id, id.toUpperCase(), id.slice(0, 1), id.slice(0, 20), 'Web']) {
      expect(forwards.find(reference).id).toBe(id);
    }
    for (const reference of ['', 'web', 'We', `${id}0`, id.slice(1), '%', 'zz']) {
      expect(() => forwards.find(reference)).toThrow(expect.objectContaining({ code: 'forward_not_found' }));
    }
  });

  test('refuses to guess, but prefers a name to a beginning', async () => {
    const created: Forward[] = [];
    for (let port = 1; port <= 40; port++) created.push(await forwards.create(spec({ external_port: port })));
    const shared = created.find(({ id }) => created.some((other) => other.id !== id && other.id[0] === id[0]));
    const letter = shared?.id[0] ?? '';
    const count = created.filter(({ id }) => id.startsWith(letter)).length;
    expect(() => forwards.find(letter)).toThrow(
      expect.objectContaining({ code: 'reference_ambiguous', message: `${letter} fits ${count} forwards` }),
    );
    const named = await forwards.create(spec({ external_port: 41, name: 'a' }));
    expect(forwards.find('a')).toEqual(named);
  });
});

test('list is in order of age, and what it gave stays as it was', async () => {
  const created: Forward[] = [];
  for (let port = 1; port <= 30; port++) created.push(await forwards.create(spec({ external_port: port })));
  const before = forwards.list();
  expect(before.map(({ createdAt, id }) => createdAt + id)).toEqual(
    before.map(({ createdAt, id }) => createdAt + id).sort(),
  );
  expect(new Set(before)).toEqual(new Set(created));
  const [first, second] = before;
  await forwards.remove(first?.id ?? '');
  await forwards.update(second?.id ?? '', (current) => ({ ...current, enabled: false }));
  expect(before).toHaveLength(30);
  expect(forwards.list().map(({ id }) => id)).toEqual(before.slice(1).map(({ id }) => id));
  expect(forwards.list()[0]?.enabled).toBe(false);
  await reopen();
  expect(forwards.list().map(({ id }) => id)).toEqual(before.slice(1).map(({ id }) => id));
});

describe('subscribers', () => {
  test('are called once per change, after it is in the index', async () => {
    const seen: (ForwardsChange & { readonly known: number })[] = [];
    const unsubscribe = forwards.subscribe((change) => seen.push({ ...change, known: forwards.revision() }));
    const { id } = await forwards.create(spec());
    await forwards.update(id, (current) => ({ ...current, router: 'r2' }));
    await forwards.remove(id);
    expect(seen).toEqual([
      { revision: 1, known: 1, touched: [{ router: 'r1', id }] },
      {
        revision: 2,
        known: 2,
        touched: [
          { router: 'r1', id },
          { router: 'r2', id },
        ],
      },
      { revision: 3, known: 3, touched: [{ router: 'r2', id }] },
    ]);
    unsubscribe();
    await forwards.create(spec());
    expect(seen).toHaveLength(3);
  });

  test('hear nothing of what concerns no forward', async () => {
    let calls = 0;
    forwards.subscribe(() => calls++);
    await registry.statuses.publish('node1', [status('r1', '192.0.2.100')], []);
    expect(calls).toBe(0);
    expect(forwards.revision()).toBe(1);
  });

  test('who throw keep neither the others nor the registry from going on', async () => {
    await registry.stop();
    const errors: unknown[] = [];
    registry = await openRegistry(store, { onError: (error) => errors.push(error) });
    let calls = 0;
    registry.forwards.subscribe(() => {
      throw new Error('a bad listener');
    });
    registry.forwards.subscribe(() => calls++);
    await registry.forwards.create(spec());
    await registry.forwards.create(spec({ external_port: 5002 }));
    expect(calls).toBe(2);
    expect(errors).toEqual([new Error('a bad listener'), new Error('a bad listener')]);
  });
});

async function reopen(): Promise<void> {
  await registry.stop();
  registry = await openRegistry(store);
  forwards = registry.forwards;
}

function byRevision(a: { revision: number }, b: { revision: number }): number {
  return a.revision - b.revision;
}

function status(router: string, gateway: string): RouterStatus {
  return {
    router,
    node: 'node1',
    instances: [],
    gateways: { 4: parseAddress(gateway) },
    revision: 0,
    at: '2026-01-01T00:00:00.000Z',
    problems: {},
    error: null,
  };
}
