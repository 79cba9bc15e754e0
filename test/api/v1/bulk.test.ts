import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bench, liveNode, OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function post(forwards: readonly unknown[], { wait = '0', ...headers }: Readonly<Record<string, string>> = {}) {
  const url = `/v1/forwards/bulk?wait=${wait}`;
  const {
    statusCode,
    headers: told,
    body,
  } = await bench.api.inject({ method: 'POST', url, payload: { forwards }, headers });
  return { status: statusCode, headers: told, body: JSON.parse(body) };
}

/** `port name` of each, oldest first. */
function there(): readonly string[] {
  return bench.registry.forwards.list().map(({ externalPorts, name }) => `${externalPorts.first} ${name}`);
}

describe('POST /v1/forwards/bulk', () => {
  test('adds all in one change, in their order, and says which ids and ports they have', async () => {
    const before = bench.registry.forwards.revision();
    const wished = ['third', 'first', 'second'].map((name, at) => wish({ name, external_port: 80 + at }));
    const { status, body } = await post(wished);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      revision: before + 1,
      dry_run: false,
      created: 3,
      updated: 0,
      removed: 0,
      unchanged: 0,
    });
    expect(there()).toEqual(['80 third', '81 first', '82 second']);
    const ids = bench.registry.forwards.list().map(({ id }) => id);
    expect(body.changes.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(body.changes[0]).toMatchObject({
      change: 'create',
      before: null,
      after: wish({ external_port: '80', internal_port: '22' }),
    });
  });

  test.each([
    ['there already', wish({ external_port: 5001 }), 409, 'forward_conflict', 'forwards.1.external_port'],
    ['in the same request', wish({ external_port: 80 }), 409, 'forward_conflict', 'forwards.1.external_port'],
    ['of a name that is taken', wish({ name: 'ssh', external_port: 81 }), 409, 'name_taken', 'forwards.1.name'],
    ['malformed', wish({ internal_address: '127.1' }), 400, 'address_not_dotted_quad', 'forwards.1.internal_address'],
    [
      'over before it begins',
      wish({ external_port: 81, expires_at: '2020-01-01T00:00:00Z' }),
      400,
      'expiry_past',
      'forwards.1.expires_at',
    ],
    ['with two expiries', wish({ expires_at: null, expires_in: 1 }), 400, 'request_malformed', 'forwards.1.expires_in'],
    ['of no router', { ...wish(), router: undefined }, 400, 'router_required', 'forwards.1.router'],
    ['with an unknown field', wish({ id: 'x' }), 400, 'request_malformed', 'forwards.1.id'],
  ])('adds nothing where one is %s', async (_, second, status, code, field) => {
    await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
    await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish({ name: 'ssh' }) });
    const { revision } = { revision: bench.registry.forwards.revision() };
    expect((await post([wish({ external_port: 80 }), second])).body).toMatchObject({ status, code, field });
    expect(there()).toEqual(['5001 ssh']);
    expect(bench.registry.forwards.revision()).toBe(revision);
  });

  test.each([0, 1001])('takes no %i forwards', async (count) => {
    const wished = Array.from({ length: count }, (_, at) => wish({ external_port: at + 1 }));
    expect(await post(wished)).toMatchObject({ status: 400, body: { code: 'request_malformed', field: 'forwards' } });
  });

  test('chooses free ports when those that are named are known, on each router', async () => {
    await post([wish({ external_port: 20_000, name: 'there' })]);
    const auto = (name: string, router = ROUTER) => wish({ name, router, external_port: 'auto' });
    const named = wish({ external_port: 20_001, name: 'named' });
    const { body } = await post([auto('one'), named, auto('two'), auto('other', OTHER_ROUTER), auto('three')]);
    expect(body.changes.map(({ after }: { after: { external_port: string } }) => after.external_port)).toEqual([
      '20002',
      '20001',
      '20003',
      '20000',
      '20004',
    ]);
  });

  test('has a duration in place of a time', async () => {
    const { body } = await post([wish({ expires_in: 3600 })]);
    expect(Date.parse(body.changes[0].after.expires_at)).toBeGreaterThan(Date.now() + 3_590_000);
  });

  test('waits until every node has them', async () => {
    await publish(bench.registry, report(0));
    const stop = liveNode(bench.registry);
    const { body } = await post([wish(), wish({ external_port: 2 })], { wait: '10' });
    expect(body).toMatchObject({ applied: true, changes: [{ state: 'active' }, { state: 'active' }] });
    stop();
  });

  test('is carried out once for each key', async () => {
    const first = await post([wish()], { 'idempotency-key': 'k' });
    const again = await post([wish()], { 'idempotency-key': 'k' });
    expect(again).toMatchObject({ status: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } });
    expect(there()).toHaveLength(1);
    expect(await post([wish({ name: 'x' })], { 'idempotency-key': 'k' })).toMatchObject({ status: 422 });
  });
});
