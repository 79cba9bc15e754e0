import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { LocalNode } from '../../src/api/local-node.ts';
import type { Caller } from '../../src/model/caller.ts';
import { hatobaError } from '../../src/model/errors.ts';
import type { Orphan } from '../../src/model/orphan.ts';
import { idOf } from '../model/arbitraries.ts';
import { spec } from '../registry/specs.ts';
import { type Bench, type BenchOptions, openBench, publish, ROUTER, report, wish } from './api-under-test.ts';

const CALLER: Caller = { name: 'token ci', role: 'admin', project: 'red', allProjects: true };

type Line = Readonly<Record<string, unknown>> & { readonly audit: Readonly<Record<string, unknown>> };

interface AuditBench extends Bench {
  /** The audit lines since this was last asked. */
  lines(): readonly Line[];
}

async function openAuditBench(options: BenchOptions = {}): Promise<AuditBench> {
  const written: string[] = [];
  const log = pino({ level: 'info' }, { write: (text) => written.push(text) });
  const bench = await openBench({ authenticate: async () => CALLER, log, ...options });
  return {
    ...bench,
    lines: () =>
      written
        .splice(0)
        .map((text): Line => JSON.parse(text))
        .filter(({ audit }) => audit !== undefined),
  };
}

async function ask({ api }: Bench, method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, payload?: object) {
  const answer = await api.inject({ method, url, remoteAddress: '192.0.2.7', ...(payload && { payload }) });
  expect([url, answer.statusCode < 300, answer.body]).toEqual([url, true, answer.body]);
  return answer;
}

const RULE = {
  instance: `qrouter-${ROUTER}`,
  program: 'iptables-nft',
  text: '-A PREROUTING',
  present: [],
  created: [],
};
const adoption: LocalNode['adoption'] = {
  plan: async () => ({ forwards: [], rules: [RULE], left: [], bypassed: [], addresses: [], unread: [], owners: [] }),
  remove: async (rules) => rules.map(() => ({ outcome: 'removed', reason: null })),
};

const ORPHAN: Orphan = { id: idOf(7), spec: spec({ router: ROUTER, external_port: 7777 }) };
const orphans: LocalNode['orphans'] = { list: async () => [ORPHAN], discard: async () => [ORPHAN] };

/** For every route by which something can be changed, how that is done; the store has a forward `ssh` and a token `ci`. */
const CHANGES: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  'POST /v1/forwards': (bench) => ask(bench, 'POST', '/v1/forwards?wait=0', wish({ external_port: 80 })),
  'POST /v1/forwards/bulk': (bench) =>
    ask(bench, 'POST', '/v1/forwards/bulk?wait=0', { forwards: [wish({ external_port: 80 })] }),
  'PATCH /v1/forwards/:reference': (bench) => ask(bench, 'PATCH', '/v1/forwards/ssh?wait=0', { enabled: false }),
  'DELETE /v1/forwards/:reference': (bench) => ask(bench, 'DELETE', '/v1/forwards/ssh?wait=0'),
  'POST /v1/apply': (bench) => ask(bench, 'POST', '/v1/apply?wait=0', { forwards: [wish({ external_port: 80 })] }),
  'PUT /v1/backup': async (bench) => {
    const backup = (await bench.api.inject('/v1/backup')).json();
    const [forward] = backup.forwards;
    await ask(bench, 'PUT', '/v1/backup?wait=0&replace=true', { ...backup, forwards: [{ ...forward, name: 'web' }] });
  },
  'POST /v1/adopt': (bench) => ask(bench, 'POST', '/v1/adopt?wait=0', {}),
  'POST /v1/recover': (bench) => ask(bench, 'POST', '/v1/recover?wait=0', {}),
  'POST /v1/cleanup': (bench) => ask(bench, 'POST', '/v1/cleanup', {}),
  'POST /v1/tokens': (bench) => ask(bench, 'POST', '/v1/tokens', { name: 'other', role: 'reader' }),
  'DELETE /v1/tokens/:reference': (bench) => ask(bench, 'DELETE', '/v1/tokens/ci'),
};

async function mutatingRoutes(): Promise<readonly string[]> {
  await using bench = await openBench();
  const routes: string[] = [];
  bench.api.addHook('onRoute', ({ method, url, config }) => {
    const { access } = config ?? {};
    if (typeof access === 'object' && access.role !== 'reader') {
      routes.push(...[method].flat().map((one) => `${one} ${url}`));
    }
  });
  await bench.api.ready();
  return routes.filter((route) => !route.startsWith('GET ') && !route.startsWith('HEAD '));
}

describe('every change has one line', () => {
  test('by every route of /v1 that can change something', async () => {
    const ours = (await mutatingRoutes()).filter((route) => route.includes(' /v1/'));
    expect(ours.toSorted()).toEqual(Object.keys(CHANGES).sort());
  });

  test.each(Object.entries(CHANGES))('%s', async (route, change) => {
    await using bench = await openAuditBench({ adoption, orphans });
    await publish(bench.registry, report(0));
    await ask(bench, 'POST', '/v1/forwards?wait=0', wish({ name: 'ssh', project_id: 'red' }));
    await ask(bench, 'POST', '/v1/tokens', { name: 'ci', role: 'member', project: 'red' });
    bench.lines();
    await change(bench);
    const lines = bench.lines();
    expect(lines).toMatchObject([
      {
        level: 30,
        msg: 'audit',
        reqId: expect.any(String),
        audit: { caller: 'token ci', project: 'red', from: '192.0.2.7', operation: route },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('htb_');
  });

  test('with the revision from which on a token is taken, or refused', async () => {
    await using bench = await openAuditBench();
    const before = bench.registry.forwards.revision();
    const { id } = (await ask(bench, 'POST', '/v1/tokens', { name: 'ci', role: 'member' })).json();
    await ask(bench, 'DELETE', '/v1/tokens/ci');
    expect(bench.lines().map(({ audit }) => [audit['ids'], audit['revision']])).toEqual([
      [[id], before + 1],
      [[id], before + 2],
    ]);
  });

  test('by Neutron’s API', async () => {
    await using bench = await openAuditBench();
    await publish(bench.registry, report(0));
    await ask(bench, 'POST', '/v1/forwards?wait=0', wish());
    const [{ id: floatingIp }] = (await bench.api.inject('/v2.0/floatingips')).json().floatingips;
    const [{ id: port }] = (await bench.api.inject('/v2.0/ports')).json().ports;
    bench.lines();
    const before = bench.registry.forwards.revision();
    const at = `/v2.0/floatingips/${floatingIp}/port_forwardings`;
    const internal = { internal_ip_address: '192.168.50.11', internal_port_id: port, internal_port: 23 };
    const wanted = { port_forwarding: { ...internal, external_port: 5009, protocol: 'tcp' } };
    const { id } = (await ask(bench, 'POST', at, wanted)).json().port_forwarding;
    await ask(bench, 'PUT', `${at}/${id}`, { port_forwarding: { external_port: 5010 } });
    await ask(bench, 'DELETE', `${at}/${id}`);
    expect(bench.lines().map(({ audit }) => [audit['operation'], audit['ids'], audit['revision']])).toEqual([
      ['POST /v2.0/floatingips/:floatingip/port_forwardings', [id], before + 1],
      ['PUT /v2.0/floatingips/:floatingip/port_forwardings/:id', [id], before + 2],
      ['DELETE /v2.0/floatingips/:floatingip/port_forwardings/:id', [id], before + 3],
    ]);
  });

  test('with the forwards, and the revision from which on it holds', async () => {
    await using bench = await openAuditBench();
    const forwards = Array.from({ length: 150 }, (_, index) => wish({ external_port: index + 1 }));
    const { revision } = (await ask(bench, 'POST', '/v1/apply?wait=0', { forwards })).json();
    const [line, ...others] = bench.lines();
    expect(others).toEqual([]);
    expect(line?.audit).toMatchObject({ revision, count: 150 });
    expect(line?.audit['ids']).toHaveLength(100);
  });

  test('before the answer, which can wait', async () => {
    await using bench = await openAuditBench();
    await publish(bench.registry, report(0));
    const answer = ask(bench, 'POST', '/v1/forwards?wait=60', wish());
    const lines: Line[] = [];
    while (lines.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      lines.push(...bench.lines());
    }
    await publish(bench.registry, report(bench.registry.forwards.revision()));
    expect((await answer).json()).toMatchObject({ id: expect.stringContaining(String(lines[0]?.audit['ids'])) });
  });
});

describe('what changes nothing has none', () => {
  test.each<[string, (bench: Bench) => Promise<unknown>]>([
    ['a change to what it is', (bench) => ask(bench, 'PATCH', '/v1/forwards/ssh?wait=0', { enabled: true })],
    ['a dry run', (bench) => ask(bench, 'POST', '/v1/apply', { forwards: [wish()], prune: 'all', dry_run: true })],
    ['what is there', (bench) => ask(bench, 'POST', '/v1/apply?wait=0', { forwards: [wish({ name: 'ssh' })] })],
    ['what is refused', (bench) => bench.api.inject({ method: 'POST', url: '/v1/forwards', payload: wish() })],
    ['what is asked', (bench) => bench.api.inject('/v1/forwards')],
  ])('%s', async (_, work) => {
    await using bench = await openAuditBench();
    await ask(bench, 'POST', '/v1/forwards?wait=0', wish({ name: 'ssh' }));
    bench.lines();
    await work(bench);
    expect(bench.lines()).toEqual([]);
  });

  test('nor has a request that is only answered again', async () => {
    await using bench = await openAuditBench();
    const request = { method: 'POST', url: '/v1/forwards?wait=0', payload: wish() } as const;
    for (const count of [1, 0]) {
      await bench.api.inject({ ...request, headers: { 'idempotency-key': 'k' } });
      expect(bench.lines()).toHaveLength(count);
    }
  });
});

describe('who is refused is told, too', () => {
  test('who is known', async () => {
    const reader: Caller = { name: 'token dash', role: 'reader', project: 'red', allProjects: false };
    await using bench = await openAuditBench({ authenticate: async () => reader });
    expect((await bench.api.inject({ method: 'DELETE', url: '/v1/forwards/ssh' })).statusCode).toBe(403);
    const audit = { caller: 'token dash', project: 'red', operation: 'DELETE /v1/forwards/:reference', status: 403 };
    expect(bench.lines()).toMatchObject([{ level: 40, msg: 'audit: refused', audit }]);
  });

  test('and who is not', async () => {
    const authenticate = () => Promise.reject(hatobaError('not_authenticated', { reason: 'there is no token' }));
    await using bench = await openAuditBench({ authenticate });
    expect((await bench.api.inject('/v1/forwards?x=secret')).statusCode).toBe(401);
    expect(bench.lines()).toMatchObject([
      { level: 40, audit: { caller: null, from: '127.0.0.1', operation: 'GET /v1/forwards', status: 401 } },
    ]);
  });
});
