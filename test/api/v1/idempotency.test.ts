import { describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/model/caller.ts';
import { type Bench, liveNode, openBench, publish, report, wish } from '../api-under-test.ts';

const KEY = '8e03978e-40d5-43e8-bc93-6894a57f9324';

function post(bench: Bench, payload: object, headers: Readonly<Record<string, string>>, url = '/v1/forwards?wait=0') {
  return bench.api.inject({ method: 'POST', url, payload, headers });
}

const keyed = (key = KEY) => ({ 'idempotency-key': key });

describe('adding a forward with an Idempotency-Key', () => {
  test('happens once, and the answer is told again', async () => {
    await using bench = await openBench();
    const first = await post(bench, wish({ name: 'ssh' }), keyed());
    const second = await post(bench, wish({ name: 'ssh' }), keyed(`"${KEY}"`));
    expect(first.statusCode).toBe(201);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.statusCode).toBe(201);
    expect(second.headers).toMatchObject({
      'idempotency-replayed': 'true',
      etag: first.headers.etag,
      location: first.headers.location,
    });
    expect(second.json()).toEqual(first.json());
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test('waits for the kernel again', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const first = await post(bench, wish(), keyed());
    expect(first.json()).toMatchObject({ status: { state: 'pending' } });
    const second = post(bench, wish(), keyed(), '/v1/forwards?wait=10');
    await publish(bench.registry, report(bench.registry.forwards.revision()));
    expect((await second).json()).toMatchObject({ id: first.json().id, status: { state: 'active' } });
  });

  test('two at once make one forward', async () => {
    await using bench = await openBench();
    const stop = liveNode(bench.registry);
    await publish(bench.registry, report(0));
    const answers = await Promise.all([1, 2, 3].map(() => post(bench, wish({ external_port: 'auto' }), keyed())));
    stop();
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    expect(new Set(answers.map((answer) => answer.json().id)).size).toBe(1);
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test('is refused for another wish, and for another operation', async () => {
    await using bench = await openBench();
    await post(bench, wish(), keyed());
    const others = [
      await post(bench, wish({ external_port: 5002 }), keyed()),
      await post(bench, wish(), keyed(), '/v1/apply').then(() =>
        post(bench, { forwards: [wish()] }, keyed(), '/v1/apply'),
      ),
    ];
    for (const other of others) {
      expect(other.statusCode).toBe(422);
      expect(other.json()).toMatchObject({ code: 'idempotency_key_reused', detail: expect.stringContaining(KEY) });
    }
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test('that was refused can be repeated', async () => {
    await using bench = await openBench();
    await post(bench, wish({ name: 'first' }), {});
    expect((await post(bench, wish({ name: 'second' }), keyed())).statusCode).toBe(409);
    await bench.registry.forwards.remove(bench.registry.forwards.find('first').id);
    expect((await post(bench, wish({ name: 'second' }), keyed())).statusCode).toBe(201);
  });

  test('whose forward has been changed or removed since makes no other', async () => {
    await using bench = await openBench();
    const { id } = (await post(bench, wish(), keyed())).json();
    await bench.registry.forwards.update(id, (spec) => ({ ...spec, name: 'renamed' }));
    expect((await post(bench, wish(), keyed())).json()).toMatchObject({ id, name: 'renamed' });
    await bench.registry.forwards.remove(id);
    const again = await post(bench, wish(), keyed());
    expect(again.statusCode).toBe(201);
    expect(again.json()).toMatchObject({ id, status: { state: 'error', message: 'it has been removed since' } });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test.each(['', '""', 'x'.repeat(256), 'caf\u00e9'])('a key %j is none', async (key) => {
    await using bench = await openBench();
    const answer = await post(bench, wish(), keyed(key));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'request_malformed', field: 'idempotency-key' });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('is nobody else’s business', async () => {
    const callers: Caller[] = ['one', 'two'].map((name) => ({ name, role: 'admin', project: null, allProjects: true }));
    let turn = 0;
    const authenticate = async () => callers[turn++] ?? Promise.reject(new Error('too many'));
    await using bench = await openBench({ authenticate });
    expect((await post(bench, wish(), keyed())).statusCode).toBe(201);
    const other = await post(bench, wish({ external_port: 5002 }), keyed());
    expect(other.statusCode).toBe(201);
    expect(other.headers['idempotency-replayed']).toBeUndefined();
  });
});

describe('applying with an Idempotency-Key', () => {
  const forwards = [wish({ name: 'a' }), wish({ name: 'b', external_port: 5002 })];

  test('happens once, although others have changed what it made', async () => {
    await using bench = await openBench();
    const first = await post(bench, { forwards }, keyed(), '/v1/apply?wait=0');
    expect(first.json()).toMatchObject({ created: 2, unchanged: 0 });
    await bench.registry.forwards.remove(bench.registry.forwards.find('a').id);
    const second = await post(bench, { forwards }, keyed(), '/v1/apply?wait=0');
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.json()).toMatchObject({ created: 2, unchanged: 0, revision: first.json().revision });
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test('a dry run takes no key', async () => {
    await using bench = await openBench();
    await post(bench, { forwards, dry_run: true }, keyed(), '/v1/apply');
    expect((await post(bench, { forwards }, keyed(), '/v1/apply?wait=0')).json()).toMatchObject({ created: 2 });
  });
});
