import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { idOf } from '../../model/arbitraries.ts';
import { type Bench, liveNode, OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function post(payload: unknown, url = '/v1/apply?wait=0') {
  const response = await bench.api.inject({
    method: 'POST',
    url,
    payload: JSON.stringify(payload),
    headers: JSON_TYPE,
  });
  return { status: response.statusCode, body: response.json() };
}

async function restore(payload: unknown, query = '') {
  const url = `/v1/backup?wait=0${query}`;
  const response = await bench.api.inject({ method: 'PUT', url, payload: JSON.stringify(payload), headers: JSON_TYPE });
  return { status: response.statusCode, body: response.json() };
}

const JSON_TYPE = { 'content-type': 'application/json' };

async function backup() {
  return (await bench.api.inject('/v1/backup')).json();
}

describe('POST /v1/apply', () => {
  test('answers with what was changed, before and after', async () => {
    const { status, body } = await post({
      forwards: [wish({ name: 'web' }), wish({ external_port: '1-9', internal_port: 7 })],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dry_run: false, applied: true, created: 2, updated: 0, removed: 0, unchanged: 0 });
    expect(body.changes).toMatchObject([
      {
        change: 'create',
        before: null,
        after: { name: 'web', router: ROUTER, external_port: '5001' },
        state: 'waiting',
      },
      { change: 'create', before: null, after: { external_port: '1-9', internal_port: '7' } },
    ]);
    expect(body.revision).toBe(bench.registry.forwards.revision());
    const [web] = bench.registry.forwards.list();
    expect(body.changes[0].id).toBe(web?.id);

    const next = await post({ forwards: [wish({ name: 'web', enabled: false })], prune: 'routers' });
    expect(next.body).toMatchObject({ created: 0, updated: 1, removed: 1, unchanged: 0 });
    expect(next.body.changes).toMatchObject([
      { change: 'update', id: web?.id, before: { enabled: true }, after: { enabled: false }, state: 'disabled' },
      { change: 'remove', before: { external_port: '1-9' }, after: null, state: null, message: null },
    ]);
  });

  test('a dry run has no ids for what it would create', async () => {
    const { body } = await post({ forwards: [wish()], dry_run: true });
    expect(body).toMatchObject({ dry_run: true, created: 1, changes: [{ id: null, state: null }] });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('waits until every node has it, as long as asked', async () => {
    await publish(bench.registry, report(0));
    expect((await post({ forwards: [wish()] }, '/v1/apply?wait=0.05')).body).toMatchObject({
      applied: false,
      changes: [{ state: 'pending' }],
    });
    const stop = liveNode(bench.registry);
    const { body } = await post({ forwards: [wish({ external_port: 1 })] }, '/v1/apply?wait=10');
    expect(body).toMatchObject({ applied: true, changes: [{ state: 'active' }] });
    stop();
  });

  test('a router that is not named is the only one there is, or the one for all', async () => {
    const { router: _, ...anywhere } = wish();
    expect((await post({ forwards: [anywhere] })).body).toMatchObject({
      code: 'router_required',
      field: 'forwards.0.router',
    });
    await publish(bench.registry, report(0));
    expect((await post({ forwards: [anywhere] })).body.changes).toMatchObject([{ after: { router: ROUTER } }]);
    await publish(bench.registry, report(0, { router: OTHER_ROUTER }));
    expect((await post({ forwards: [anywhere] })).body).toMatchObject({ code: 'router_required' });
    const named = await post({ forwards: [anywhere], router: `qrouter-${OTHER_ROUTER}` });
    expect(named.body.changes).toMatchObject([{ after: { router: OTHER_ROUTER } }]);
    expect((await post({ forwards: [], router: 'a b' })).body).toMatchObject({
      code: 'router_malformed',
      field: 'router',
    });
  });

  test.each([
    [{ forwards: [wish(), wish({ external_port: 70_000 })] }, 400, 'port_out_of_range', 'forwards.1.external_port'],
    [{ forwards: [wish({ name: '-' })] }, 400, 'name_malformed', 'forwards.0.name'],
    [{ forwards: [wish({ external_port: 'auto' })] }, 400, 'port_malformed', 'forwards.0.external_port'],
    [{ forwards: [wish({ id: 'nonsense' })] }, 400, 'request_malformed', 'forwards.0.id'],
    [{ forwards: [wish({ id: idOf(1) }), wish({ id: idOf(1).toUpperCase() })] }, 400, 'item_repeated', 'forwards.1.id'],
    [{ forwards: [wish(), wish()] }, 409, 'forward_conflict', 'forwards.1.external_port'],
    [
      { forwards: [wish({ name: 'x1' }), wish({ name: 'x1', external_port: 1 })] },
      409,
      'name_taken',
      'forwards.1.name',
    ],
    [{ forwards: [wish({ nonsense: 1 })] }, 400, 'request_malformed', 'forwards.0.nonsense'],
    [{ forwards: {} }, 400, 'request_malformed', 'forwards'],
    [{ forwards: [], prune: true }, 400, 'request_malformed', 'prune'],
    [{}, 400, 'request_malformed', 'forwards'],
  ])('%j is refused', async (payload, status, code, field) => {
    const before = bench.registry.forwards.revision();
    expect(await post(payload)).toMatchObject({ status, body: { code, field } });
    expect(bench.registry.forwards.revision()).toBe(before);
  });

  test('takes files far larger than other requests', async () => {
    const forwards = Array.from({ length: 3000 }, (_, n) =>
      wish({ external_port: n + 1, description: 'd'.repeat(100) }),
    );
    const { body } = await post({ forwards });
    expect(body).toMatchObject({ created: 3000 });
    const other = await bench.api.inject({
      method: 'POST',
      url: '/v1/forwards',
      payload: { name: 'x'.repeat(70_000) },
    });
    expect(other.json()).toMatchObject({ code: 'body_too_large' });
  });
});

describe('/v1/backup', () => {
  test('what it gives is what it takes', async () => {
    await post({
      forwards: [wish({ name: 'web', labels: { a: 'b' } }), wish({ external_port: 2, sources: ['192.0.2.0/24'] })],
    });
    const before = bench.registry.forwards.list();
    const document = await backup();
    expect(document).toMatchObject({ format: 'hatoba-backup-1', revision: bench.registry.forwards.revision() });
    expect(document.forwards.map(({ id }: { id: string }) => id)).toEqual(before.map(({ id }) => id));

    expect(await restore(document)).toMatchObject({ status: 409, body: { code: 'store_not_empty' } });
    expect((await restore(document, '&replace=true')).body).toMatchObject({ unchanged: 2, changes: [] });
    await post({ forwards: [wish({ external_port: 9 })], prune: 'all' });
    expect((await restore(document, '&replace=true')).body).toMatchObject({ created: 2, removed: 1 });
    expect((await backup()).forwards).toEqual(document.forwards);
  });

  test.each([
    [{}, 'request_malformed', 'format'],
    [{ format: 'hatoba-backup-1', revision: 1, forwards: [{ ...wish() }] }, 'request_malformed', 'forwards.0.labels'],
    [{ format: 'hatoba-backup-9', revision: 1, forwards: [] }, 'request_malformed', 'format'],
  ])('%j is refused', async (payload, code, field) => {
    const { status, body } = await restore(payload);
    expect({ status, code: body.code }).toEqual({ status: 400, code });
    expect(body.field.startsWith(field.split('.')[0])).toBe(true);
  });

  test('a time that is none is refused, and names the item', async () => {
    await post({ forwards: [wish()] });
    const document = await backup();
    await post({ forwards: [], prune: 'all' });
    const wrong = {
      ...document,
      forwards: document.forwards.map((one: object) => ({ ...one, created_at: 'yesterday' })),
    };
    expect(await restore(wrong)).toMatchObject({
      status: 400,
      body: { code: 'time_malformed', field: 'forwards.0.created_at' },
    });
    expect(bench.registry.forwards.list()).toEqual([]);
  });
});
