import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import type { Caller } from '../../../src/model/caller.ts';
import type { ErrorCode } from '../../../src/model/error-catalogue.ts';
import { HatobaError } from '../../../src/model/errors.ts';
import type { Forward, ForwardInput } from '../../../src/model/forward.ts';
import { parseForwardDraft } from '../../../src/model/forward-draft.ts';
import { type GrantInput, parseGrants } from '../../../src/model/grants.ts';
import type { RouterStatus } from '../../../src/model/status.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { ForwardBatch, Registry, WantedForward } from '../../../src/registry/registry.ts';
import { scopeRegistry } from '../../../src/registry/tenants/scoped.ts';
import { idOf } from '../../model/arbitraries.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

const GRANTS: readonly GrantInput[] = [
  {
    project: 'red',
    quota: 3,
    external_ports: '5000-5999',
    external_addresses: ['198.51.100.0/28'],
    routers: [{ router: 'r1' }, { router: 'narrow', external_ports: '443' }],
  },
  { project: 'blue', routers: [{ router: '*' }] },
];

let store: TemporaryStore;
let registry: Registry;
let red: Registry;
let blue: Registry;

beforeEach(async () => {
  store = openTemporaryStore();
  registry = await openRegistry(store, { autoPorts: { first: 5900, last: 6100 } });
  [red, blue] = [as('red'), as('blue')];
});

afterEach(async () => {
  await registry.stop();
  await store.remove();
});

function caller(project: string | null, allProjects = false): Caller {
  return { name: 'token t', role: 'member', project, allProjects };
}

function as(project: string | null): Registry {
  return scopeRegistry(registry, caller(project), parseGrants(GRANTS));
}

function item(input: Partial<ForwardInput> = {}, id: string | null = null): WantedForward {
  return { id, spec: spec(input), times: null };
}

function statusOf(router: string, gateway = '192.0.2.1'): RouterStatus {
  const at = '2026-01-01T00:00:00.000Z';
  const gateways = { 4: parseAddress(gateway) };
  return { router, node: 'n1', instances: [router], gateways, revision: 9, at, problems: {}, error: null };
}

const PLAIN = { prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false } as const;

function apply(to: Registry, wanted: readonly WantedForward[], options: Partial<ForwardBatch> = {}) {
  return to.forwards.apply({ wanted, ...PLAIN, ...options });
}

/** In no order: those of one millisecond come as their ids do. */
function byId(forwards: readonly Forward[]): ReadonlyMap<string, Forward> {
  return new Map(forwards.map((forward) => [forward.id, forward]));
}

async function refusal(
  work: Promise<unknown> | (() => unknown),
): Promise<{ code: ErrorCode; field: string | undefined; message: string }> {
  const error = await (typeof work === 'function' ? Promise.try(work) : work).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HatobaError)) throw new Error('it was not refused', { cause: error });
  return { code: error.code, field: error.field, message: error.message };
}

test('one of all projects has the registry itself', () => {
  expect(scopeRegistry(registry, caller('red', true), parseGrants(GRANTS))).toBe(registry);
});

test('one of no project has nothing, and makes nothing', async () => {
  await registry.forwards.create(spec());
  const nobody = as(null);
  expect([nobody.forwards.list(), nobody.statuses.routers()]).toEqual([[], []]);
  expect(await refusal(nobody.forwards.create(spec()))).toMatchObject({ code: 'project_not_allowed' });
});

describe('what is of others is not there', () => {
  let own: Forward;
  let other: Forward;
  let unowned: Forward;

  beforeEach(async () => {
    own = await red.forwards.create(spec({ name: 'web' }));
    other = await blue.forwards.create(spec({ name: 'web', external_port: 5002 }));
    unowned = await registry.forwards.create(spec({ name: 'mine', external_port: 5003 }));
  });

  test('in what is read', () => {
    expect(own.projectId).toBe('red');
    expect(red.forwards.list()).toEqual([own]);
    expect([...red.forwards.ofRouter('r1').values()]).toEqual([own]);
    expect(red.forwards.find('web')).toEqual(own);
    expect(blue.forwards.find('web')).toEqual(other);
    for (const { id } of [other, unowned]) {
      expect(red.forwards.get(id)).toBeUndefined();
      expect(() => red.forwards.find(id)).toThrow(`there is no forward ${id}`);
    }
    expect(() => red.forwards.find('mine')).toThrow('there is no forward mine');
  });

  test('for who would change or remove it', async () => {
    for (const { id } of [other, unowned]) {
      expect(await refusal(red.forwards.update(id, (before) => before))).toMatchObject({ code: 'forward_not_found' });
      expect(await refusal(red.forwards.remove(id))).toMatchObject({ code: 'forward_not_found' });
      const taken = await refusal(apply(red, [item({}, id)]));
      expect(taken).toMatchObject({ code: 'forward_not_found', field: 'forwards.0.id' });
    }
    expect(byId(registry.forwards.list())).toEqual(byId([own, other, unowned]));
    await apply(red, [item({ external_port: 5004 }, idOf(7))]);
    expect(red.forwards.get(idOf(7))?.externalPorts.first).toBe(5004);
  });

  test('but for the place that it takes, of which nothing more is told', async () => {
    const { code, message } = await refusal(red.forwards.create(spec({ external_port: 5002 })));
    expect([code, message]).toEqual([
      'forward_conflict',
      'tcp port 5002 on gateway already leads elsewhere, by a forward of another project',
    ]);
    expect((await refusal(red.forwards.create(spec({ external_port: 5003 })))).message).toMatch(/another project$/);
    const batch = await refusal(apply(red, [item({ external_port: 5002 })]));
    expect(batch).toMatchObject({ code: 'forward_conflict', field: 'forwards.0.external_port' });
    expect(batch.message).toMatch(/by a forward of another project$/);
    expect((await refusal(red.forwards.create(spec()))).message).toMatch(/by forward web$/);
  });

  test('so that pruning spares it', async () => {
    const { changes } = await apply(red, [item({ external_port: 5001, internal_port: 80 })], { prunes: () => true });
    expect(changes).toHaveLength(1);
    await apply(red, [], { prunes: () => true });
    expect(byId(registry.forwards.list())).toEqual(byId([other, unowned]));
  });
});

describe('what it makes', () => {
  test('is of its project, and stays so', async () => {
    const other = { code: 'project_not_allowed', field: 'project_id' };
    expect(await refusal(red.forwards.create(spec({ project_id: 'blue' })))).toMatchObject(other);
    const { id } = await red.forwards.create(spec({ project_id: 'red' }));
    const moved = red.forwards.update(id, (before) => ({ ...before, projectId: 'blue' }));
    expect(await refusal(moved)).toMatchObject(other);
    const batch = await refusal(apply(red, [item(), item({ external_port: 5002, project_id: 'blue' })]));
    expect(batch).toMatchObject({ ...other, field: 'forwards.1.project_id' });
    await apply(red, [item({ internal_port: 80 })]);
    expect(registry.forwards.get(id)?.projectId).toBe('red');
  });

  test('is on routers that it may use; others are not there', async () => {
    const absent = { code: 'router_not_found', field: 'router' };
    expect(await refusal(red.forwards.create(spec({ router: 'r2' })))).toMatchObject(absent);
    expect(await refusal(apply(red, [item({ router: 'r2' })]))).toMatchObject({
      ...absent,
      field: 'forwards.0.router',
    });
    const { id } = await red.forwards.create(spec());
    const moved = red.forwards.update(id, (before) => ({ ...before, router: 'r2' }));
    expect(await refusal(moved)).toMatchObject(absent);
  });

  test('is on ports that it may have', async () => {
    const refused = await refusal(red.forwards.create(spec({ external_port: '5990-6001', internal_port: 80 })));
    expect(refused).toEqual({
      code: 'port_not_permitted',
      field: 'external_port',
      message: 'on router r1 your project may have the external ports 5000-5999, so not 5990-6001',
    });
    const narrow = await refusal(apply(red, [item({ router: 'narrow' })]));
    expect(narrow).toMatchObject({ code: 'port_not_permitted', field: 'forwards.0.external_port' });
    await red.forwards.create(spec({ router: 'narrow', external_port: 443 }));
  });

  test("is on the router's own address, or one that it may have", async () => {
    const named = (external_address: string, port = 5001) => spec({ external_address, external_port: port });
    await registry.statuses.publish('n1', [statusOf('r1'), statusOf('r2', '192.0.2.2')], []);
    const refused = {
      code: 'address_not_permitted',
      field: 'external_address',
      message: 'on router r1 your project may not have the external address 203.0.113.66',
    };
    expect(await refusal(red.forwards.create(named('203.0.113.66')))).toEqual(refused);
    expect(await refusal(red.forwards.create(named('192.0.2.2')))).toMatchObject({ code: refused.code });
    const batch = await refusal(apply(red, [item(), item({ external_address: '203.0.113.66', external_port: 5002 })]));
    expect(batch).toEqual({ ...refused, field: 'forwards.1.external_address' });
    const { id } = await red.forwards.create(spec());
    expect(await refusal(red.forwards.update(id, () => named('203.0.113.66')))).toEqual(refused);
    await red.forwards.update(id, () => named('192.0.2.1'));
    await red.forwards.create(named('198.51.100.14', 5002));
    await registry.forwards.create(named('203.0.113.66'));
  });

  test('has ports among those that it may have, where they are chosen', async () => {
    const draft = parseForwardDraft({
      router: 'r1',
      external_port: 'auto',
      internal_address: '192.168.50.11',
      internal_port: 22,
    });
    expect((await red.forwards.create(draft)).externalPorts.first).toBe(5900);
    // None of those that are meant for it are permitted there.
    expect((await red.forwards.create({ ...draft, router: 'narrow' })).externalPorts.first).toBe(443);
    expect(await refusal(red.forwards.create({ ...draft, router: 'narrow' }))).toMatchObject({
      code: 'auto_ports_exhausted',
    });
  });

  test('is no more than its quota, whatever others have', async () => {
    await Promise.all([1, 2, 3].map((n) => blue.forwards.create(spec({ external_port: 5900 + n }))));
    await apply(red, [item({ external_port: 5001 }), item({ external_port: 5002 })]);
    const many = await refusal(apply(red, [item({ external_port: 5003 }), item({ external_port: 5004 })]));
    expect([many.code, many.message]).toEqual([
      'quota_exceeded',
      'the project may have 3 forwards and has 2, so there is no room for 2 more',
    ]);
    expect(
      await refusal(
        apply(
          red,
          [5, 6].map((n) => item({ external_port: 5000 + n })),
          { dryRun: true },
        ),
      ),
    ).toMatchObject({
      code: 'quota_exceeded',
    });
    const { id } = await red.forwards.create(spec({ external_port: 5003 }));
    expect(await refusal(red.forwards.create(spec({ external_port: 5004 })))).toMatchObject({ code: 'quota_exceeded' });
    // What changes, or comes in the place of others, needs no room.
    await red.forwards.update(id, (before) => ({ ...before, enabled: false }));
    await apply(
      red,
      [7, 8, 9].map((n) => item({ external_port: 5000 + n })),
      { prunes: () => true },
    );
    expect(red.forwards.list().map(({ externalPorts }) => externalPorts.first)).toEqual([5007, 5008, 5009]);
  });

  test('stays legal in all respects in which it is not changed', async () => {
    const old = await registry.forwards.create(spec({ router: 'r2', external_port: 80, project_id: 'red' }));
    for (const n of [1, 2, 3]) await registry.forwards.create(spec({ external_port: 5000 + n, project_id: 'red' }));
    const disabled = await red.forwards.update(old.id, (before) => ({ ...before, enabled: false }));
    expect(disabled.enabled).toBe(false);
    await apply(red, [item({ router: 'r2', external_port: 80, internal_port: 8080 }, old.id)]);
    const shifted = red.forwards.update(old.id, (before) => ({ ...before, externalPorts: { first: 81, last: 81 } }));
    expect(await refusal(shifted)).toMatchObject({ code: 'router_not_found' });
    const foreign = { external_address: '203.0.113.66', project_id: 'red' };
    const { id } = await registry.forwards.create(spec({ ...foreign, external_port: 5004 }));
    await red.forwards.update(id, () => spec({ ...foreign, external_port: 5004, internal_port: 81 }));
    const next = red.forwards.update(id, () => spec({ ...foreign, external_port: 5005 }));
    expect(await refusal(next)).toMatchObject({ code: 'address_not_permitted' });
  });
});

test('two nodes that add at once to one project, on different routers, do not exceed its quota', async () => {
  const second = await openRegistry(store);
  const grants = parseGrants([{ project: 'red', quota: 10, routers: [{ router: '*' }] }]);
  const nodes = [registry, second].map((node) => node.within({ project: 'red', grants }));
  const work = nodes.flatMap((node, which) =>
    Array.from({ length: 20 }, (_, n) => node.forwards.create(spec({ router: `r${which}-${n}` }))),
  );
  const outcomes = await Promise.allSettled(work);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  expect(registry.forwards.list()).toHaveLength(10);
  await second.stop();
});

describe('statuses', () => {
  function status(router: string, rest: Partial<RouterStatus> = {}): RouterStatus {
    return { ...statusOf(router), ...rest };
  }

  test('are those of routers that it may use or has forwards on, without what is said of others', async () => {
    const own = await red.forwards.create(spec());
    const other = await blue.forwards.create(spec({ external_port: 5002 }));
    const kept = await registry.forwards.create(spec({ router: 'r3', project_id: 'red' }));
    const problem = { state: 'error', message: 'it is so' } as const;
    const told = {
      problems: { [own.id]: problem, [other.id]: problem },
      warnings: { [own.id]: ['secret rule'], [other.id]: ['secret rule'] },
      error: 'line 7: secret',
    };
    const all = [status('r1', told), status('r2'), status('r3')];
    await registry.statuses.publish('n1', all, []);
    expect(red.statuses.routers()).toEqual(['r1', 'r3']);
    expect(red.statuses.of('r2')).toEqual([]);
    expect(red.statuses.ofNode('n1').map(({ router }) => router)).toEqual(['r1', 'r3']);
    const [seen] = red.statuses.of('r1');
    expect(seen?.problems).toEqual({ [own.id]: problem });
    expect(Object.keys(seen?.warnings ?? {})).toEqual([own.id]);
    expect(JSON.stringify(red.statuses.of('r1'))).not.toContain('secret');
    expect(seen?.error).toMatch(/^the router cannot be changed/);
    await registry.forwards.remove(kept.id);
    expect(red.statuses.routers()).toEqual(['r1']);
    expect(await refusal(red.statuses.publish('n1', [], ['r1']))).toMatchObject({ code: 'not_permitted' });
    expect(registry.statuses.of('r1')).toHaveLength(1);
  });

  test('are told of in the same way', async () => {
    const heard: string[] = [];
    red.statuses.subscribe((router) => heard.push(router));
    await registry.statuses.publish('n1', [status('r1'), status('r2')], []);
    expect(heard).toEqual(['r1']);
  });
});
