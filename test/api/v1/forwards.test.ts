import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { liveNode, OTHER_ROUTER, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

const post = (payload: object | string, query = '?wait=0') =>
  ({ method: 'POST', url: `/v1/forwards${query}`, payload }) as const;

describe('POST /v1/forwards', () => {
  test('gives the whole forward with its place and revision', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const answer = await bench.api.inject(post(wish({ name: 'ssh', labels: { team: 'a' } })));
    expect(answer.statusCode).toBe(201);
    const document = answer.json();
    expect(document).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      revision: expect.any(Number),
      created_at: expect.stringMatching(/Z$/),
      updated_at: document.created_at,
      name: 'ssh',
      description: null,
      project_id: null,
      labels: { team: 'a' },
      router: ROUTER,
      protocol: 'tcp',
      external_address: 'gateway',
      external_port: '5001',
      internal_address: '192.168.50.11',
      internal_port: '22',
      sources: [],
      enabled: true,
      expires_at: null,
      status: {
        state: 'pending',
        message: 'the node has not applied it yet',
        warnings: [],
        nodes: [
          {
            node: 'n1',
            state: 'pending',
            external_address: '192.168.1.100',
            revision: 0,
            at: '2026-01-02T03:04:06.000Z',
            message: 'the node has not applied it yet',
          },
        ],
      },
    });
    expect(answer.headers['location']).toBe(`/v1/forwards/${document.id}`);
    expect(answer.headers['etag']).toBe(`"${document.revision}"`);
  });

  test('is for the only router where it names none', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const answer = await bench.api.inject(post(wish({ router: undefined })));
    expect(answer.json()).toMatchObject({ router: ROUTER });
  });

  test.for([0, 2])('with %i routers it has to name one', async (count) => {
    await using bench = await openBench();
    if (count > 0) await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
    const answer = await bench.api.inject(post(wish({ router: undefined })));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'router_required', field: 'router' });
    expect(answer.json().detail).toContain(`there are ${count} routers`);
  });

  test('a conflict names the other forward, a taken name the name', async () => {
    await using bench = await openBench();
    await bench.api.inject(post(wish({ name: 'ssh' })));
    const conflict = await bench.api.inject(post(wish()));
    expect(conflict.statusCode).toBe(409);
    expect(conflict.json()).toMatchObject({ code: 'forward_conflict' });
    expect(conflict.json().detail).toContain('by forward ssh');
    const taken = await bench.api.inject(post(wish({ name: 'ssh', external_port: 5002 })));
    expect(taken.json()).toMatchObject({ status: 409, code: 'name_taken' });
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test.for([
    [{ internal_address: '192.168.050.11' }, 'address_leading_zero', 'internal_address'],
    [{ external_port: 65536 }, 'port_out_of_range', 'external_port'],
    [{ external_port: 50.5 }, 'port_malformed', 'external_port'],
    [{ external_port: '10-1' }, 'port_range_reversed', 'external_port'],
    [{ external_port: true }, 'request_malformed', 'external_port'],
    [{ external_port: undefined }, 'request_malformed', 'external_port'],
    [{ internal_address: null }, 'request_malformed', 'internal_address'],
    [{ enabled: 'true' }, 'request_malformed', 'enabled'],
    [{ sources: '203.0.113.0/24' }, 'request_malformed', 'sources'],
    [{ sources: [5] }, 'request_malformed', 'sources.0'],
    [{ labels: { a: 1 } }, 'request_malformed', 'labels.a'],
    [{ labels: { 'a b': 'x' } }, 'name_malformed', 'labels'],
    [{ protocol: 'icmp' }, 'protocol_unknown', 'protocol'],
    [{ router: '../x' }, 'router_malformed', 'router'],
    [{ external_prot: 1, external_port: undefined }, 'request_malformed', 'external_prot'],
    [{ id: '1' }, 'request_malformed', 'id'],
  ] as const)('refuses %j: %s', async ([differences, code, field]) => {
    await using bench = await openBench();
    const answer = await bench.api.inject(post(wish(differences)));
    expect(answer.json()).toMatchObject({ status: 400, code, field, type: `urn:hatoba:error:${code}` });
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test.for(['?wait=', '?wait=61', '?wait=-1', '?wait=0x5', '?wait=true', '?wait=1&wait=2', '?wiat=1'])(
    'refuses the query %s',
    async (query) => {
      await using bench = await openBench();
      const answer = await bench.api.inject(post(wish(), query));
      expect(answer.json()).toMatchObject({ status: 400, code: 'request_malformed' });
      expect(bench.registry.forwards.list()).toEqual([]);
    },
  );
});

describe('?wait', () => {
  test('a node that applies it is waited for', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    liveNode(bench.registry);
    const answer = await bench.api.inject(post(wish(), '?wait=30'));
    expect(answer.json().status).toMatchObject({ state: 'active', message: null });
  });

  test('a disabled forward is waited for, too', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    liveNode(bench.registry);
    const answer = await bench.api.inject(post(wish({ enabled: false }), '?wait=30'));
    expect(answer.json().status).toMatchObject({ state: 'disabled' });
    expect(answer.json().status.nodes[0].revision).toBeGreaterThanOrEqual(answer.json().revision);
  });

  test.for([
    ['no node has the router', {}, 'waiting'],
    ['its router is in error', { error: 'no nft' }, 'error'],
  ] as const)('%s: there is nothing to wait for', async ([, differences, state]) => {
    await using bench = await openBench();
    if (state === 'error') await publish(bench.registry, report(0, differences));
    const answer = await bench.api.inject(post(wish(), '?wait=30'));
    expect(answer.json().status.state).toBe(state);
  });

  test('a node that has applied all and lacks something ends the wait', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    bench.registry.forwards.subscribe(({ revision, touched }) => {
      const problems = Object.fromEntries(
        touched.map(({ id }) => [id, { state: 'pending' as const, message: 'no gateway' }]),
      );
      void publish(bench.registry, report(revision, { problems, gateways: {} }));
    });
    const answer = await bench.api.inject(post(wish(), '?wait=30'));
    expect(answer.json().status).toMatchObject({ state: 'pending', message: 'no gateway' });
    expect(answer.json().status.nodes[0].external_address).toBeNull();
  });

  test('another router, and an older revision, do not end it; time does', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const published = Promise.withResolvers<void>();
    bench.registry.forwards.subscribe(() => {
      published.resolve(publish(bench.registry, report(1e9, { router: OTHER_ROUTER }), report(0)));
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let isAnswered = false;
    const asked = bench.api.inject(post(wish(), '?wait=30')).finally(() => {
      isAnswered = true;
    });
    await published.promise;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    vi.advanceTimersByTime(30_000);
    const answer = await asked;
    expect(answer.statusCode).toBe(201);
    expect(answer.json().status.state).toBe('pending');
  });

  test('a removal meanwhile ends it with forward_not_found', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const creation = bench.api.inject(post(wish({ name: 'a' }), '?wait=30'));
    await expect.poll(() => bench.registry.forwards.list().length).toBe(1);
    await bench.api.inject({ method: 'DELETE', url: '/v1/forwards/a?wait=0' });
    expect((await creation).json()).toMatchObject({ status: 404, code: 'forward_not_found' });
  });

  test('closing the API ends it', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const creation = bench.api.inject(post(wish(), '?wait=30'));
    await expect.poll(() => bench.registry.forwards.list().length).toBe(1);
    await bench.api.close();
    expect((await creation).json().status.state).toBe('pending');
  });
});

describe('GET /v1/forwards/{reference}', () => {
  test('finds by id, beginning of the id, and name', async () => {
    await using bench = await openBench();
    const created = (await bench.api.inject(post(wish({ name: 'ssh' })))).json();
    for (const reference of [created.id, created.id.slice(0, 6), 'ssh']) {
      const answer = await bench.api.inject(`/v1/forwards/${reference}`);
      expect(answer.json()).toEqual(created);
      expect(answer.headers['etag']).toBe(`"${created.revision}"`);
    }
  });

  test.for(['nobody', '00000000-0000-4000-8000-000000000000', '__proto__', '%00', 'a%2Fb'])(
    '%s is not found',
    async (reference) => {
      await using bench = await openBench();
      const answer = await bench.api.inject(`/v1/forwards/${reference}`);
      expect(answer.json()).toMatchObject({ status: 404, code: 'forward_not_found' });
    },
  );

  test('a beginning of two ids is ambiguous', async () => {
    await using bench = await openBench();
    for (let port = 1; port <= 17; port++) await bench.api.inject(post(wish({ external_port: port })));
    const initials = bench.registry.forwards.list().map(({ id }) => id.charAt(0));
    const twice = initials.find((initial, index) => initials.indexOf(initial) !== index);
    const answer = await bench.api.inject(`/v1/forwards/${twice}`);
    expect(answer.json()).toMatchObject({ status: 409, code: 'reference_ambiguous' });
  });
});

describe('PATCH /v1/forwards/{reference}', () => {
  const patch = (reference: string, payload: object, headers = {}, query = '?wait=0') =>
    ({ method: 'PATCH', url: `/v1/forwards/${reference}${query}`, payload, headers }) as const;

  test('changes what it names and nothing else', async () => {
    await using bench = await openBench();
    const created = (await bench.api.inject(post(wish({ name: 'ssh', description: 'x', project_id: 'p' })))).json();
    const answer = await bench.api.inject(patch('ssh', { external_port: '5002', description: null }));
    expect(answer.statusCode).toBe(200);
    const changed = answer.json();
    expect(changed.revision).toBeGreaterThan(created.revision);
    expect(answer.headers['etag']).toBe(`"${changed.revision}"`);
    const { revision, updated_at } = changed;
    expect(changed).toEqual({ ...created, external_port: '5002', description: null, revision, updated_at });
  });

  test('waits for the node', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    liveNode(bench.registry);
    await bench.api.inject(post(wish({ name: 'ssh' }), '?wait=30'));
    const answer = await bench.api.inject(patch('ssh', { enabled: false }, {}, '?wait=30'));
    expect(answer.json().status.state).toBe('disabled');
  });

  test('If-Match: the revision, quoted or not, or anything', async () => {
    await using bench = await openBench();
    const { revision } = (await bench.api.inject(post(wish({ name: 'a' })))).json();
    const stale = await bench.api.inject(patch('a', { enabled: false }, { 'if-match': `"${revision + 1}"` }));
    expect(stale.json()).toMatchObject({ status: 412, code: 'revision_mismatch' });
    expect(bench.registry.forwards.find('a').enabled).toBe(true);
    const second = await bench.api.inject(patch('a', { enabled: false }, { 'if-match': `"${revision}"` }));
    expect(second.statusCode).toBe(200);
    const third = await bench.api.inject(patch('a', { enabled: true }, { 'if-match': `${second.json().revision}` }));
    expect(third.statusCode).toBe(200);
    expect((await bench.api.inject(patch('a', { enabled: false }, { 'if-match': '*' }))).statusCode).toBe(200);
    for (const nonsense of ['', '"1', '1, 2', '"1" "2"', '"1",x', '-1', 'x']) {
      const answer = await bench.api.inject(patch('a', { enabled: true }, { 'if-match': nonsense }));
      expect(answer.json()).toMatchObject({ status: 400, code: 'request_malformed', field: 'if-match' });
    }
    expect(bench.registry.forwards.find('a').enabled).toBe(false);
  });

  test.for([
    [{ external_port: null }, 'request_malformed', 'external_port'],
    [{ router: null }, 'request_malformed', 'router'],
    [{ revision: 1 }, 'request_malformed', 'revision'],
    [{ external_address: '2001:db8::1' }, 'address_family_mismatch', 'external_address'],
    [{ internal_port: 0 }, 'port_out_of_range', 'internal_port'],
    [[], 'request_malformed', undefined],
  ] as const)('refuses %j: %s', async ([payload, code, field]) => {
    await using bench = await openBench();
    await bench.api.inject(post(wish({ name: 'a' })));
    const before = bench.registry.forwards.find('a');
    const answer = await bench.api.inject(patch('a', payload));
    expect(answer.json()).toMatchObject({ status: 400, code, ...(field === undefined ? {} : { field }) });
    expect(bench.registry.forwards.find('a')).toEqual(before);
  });

  test('a conflict and a stranger', async () => {
    await using bench = await openBench();
    await bench.api.inject(post(wish()));
    await bench.api.inject(post(wish({ name: 'b', external_port: 5002 })));
    const conflict = await bench.api.inject(patch('b', { external_port: 5001 }));
    expect(conflict.json()).toMatchObject({ status: 409, code: 'forward_conflict' });
    expect((await bench.api.inject(patch('nobody', {}))).json()).toMatchObject({ code: 'forward_not_found' });
  });
});

describe('DELETE /v1/forwards/{reference}', () => {
  const remove = (reference: string, query = '?wait=30', headers = {}) =>
    ({ method: 'DELETE', url: `/v1/forwards/${reference}${query}`, headers }) as const;

  test('waits until the node has removed it', async () => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    liveNode(bench.registry);
    const { id } = (await bench.api.inject(post(wish({ name: 'a' }), '?wait=30'))).json();
    const answer = await bench.api.inject(remove('a'));
    expect(answer.statusCode).toBe(200);
    const { revision } = answer.json();
    expect(answer.json()).toEqual({ id, revision, applied: true });
    expect(bench.registry.statuses.of(ROUTER)[0]?.revision).toBeGreaterThanOrEqual(revision);
    expect((await bench.api.inject(remove('a'))).json()).toMatchObject({ code: 'forward_not_found' });
  });

  test.for([
    ['no node has the router', undefined, '?wait=30', true],
    ['a node that cannot is not waited for', 'no nft', '?wait=30', false],
    ['a node that does not is waited for in vain', null, '?wait=0.05', false],
  ] as const)('%s', async ([, error, query, applied]) => {
    await using bench = await openBench();
    if (error !== undefined) await publish(bench.registry, report(0, { error }));
    await bench.api.inject(post(wish({ name: 'a' })));
    expect((await bench.api.inject(remove('a', query))).json()).toMatchObject({ applied });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test.for([
    ['?wait=0', false],
    ['?wait=0&drain=false', false],
    ['?wait=0&drain=true', true],
  ] as const)('%s', async ([query, drains]) => {
    await using bench = await openBench();
    await publish(bench.registry, report(0));
    const { id } = (await bench.api.inject(post(wish({ name: 'a' })))).json();
    expect((await bench.api.inject(remove('a', query))).statusCode).toBe(200);
    expect([...bench.registry.forwards.draining(ROUTER)]).toEqual(drains ? [id] : []);
  });

  test('neither draining nor not', async () => {
    await using bench = await openBench();
    await bench.api.inject(post(wish({ name: 'a' })));
    const answer = await bench.api.inject(remove('a', '?drain=perhaps'));
    expect(answer.json()).toMatchObject({ status: 400, code: 'request_malformed' });
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });

  test('If-Match', async () => {
    await using bench = await openBench();
    const { revision } = (await bench.api.inject(post(wish({ name: 'a' })))).json();
    const stale = await bench.api.inject(remove('a', '', { 'if-match': `"${revision + 1}"` }));
    expect(stale.json()).toMatchObject({ status: 412, code: 'revision_mismatch' });
    expect(bench.registry.forwards.list()).toHaveLength(1);
    expect((await bench.api.inject(remove('a', '', { 'if-match': `"${revision}"` }))).statusCode).toBe(200);
  });
});
