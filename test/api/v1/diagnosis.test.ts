import { afterEach, expect, test } from 'vitest';
import { authenticateSocket } from '../../../src/api/access/local-callers.ts';
import { hatobaError } from '../../../src/model/errors.ts';
import type { InstanceFacts } from '../../../src/program/facts.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type Bench,
  type BenchOptions,
  OTHER_ROUTER,
  openBench,
  publish,
  ROUTER,
  report,
  wish,
} from '../api-under-test.ts';

let bench: Bench;
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const FACTS: InstanceFacts = {
  instance: `qrouter-${ROUTER}`,
  gateways: report(0).gateways,
  outside: { 4: ['qg-1'], 6: ['qg-1'] },
  forwarding: { 4: false, 6: true },
  flows: { entries: 90, limit: 100 },
  strictReversePath: [],
  routingRules: { 4: [], 6: [] },
  unread: [],
  rules: new Map(),
};

async function open(local: BenchOptions = {}): Promise<void> {
  bench = await openBench({ examineRouter: async () => [FACTS], ...local });
  await publish(bench.registry, report(1000), report(1000, { router: OTHER_ROUTER }));
  await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish({ name: 'ssh' }) });
}

async function get(path: string) {
  const answer = await bench.api.inject(`/v1/${path}`);
  return { status: answer.statusCode, body: answer.json() };
}

const codes = ({ body }: Awaited<ReturnType<typeof get>>) =>
  body.findings.map(({ code, router }: { code: string; router: string | null }) => [code, router]);

test('one forward: everything', async () => {
  const asked: unknown[] = [];
  await open({
    examineRouter: async (router, forward) => {
      asked.push([router, forward]);
      return [FACTS];
    },
  });
  const { id } = bench.registry.forwards.find('ssh');
  const found = await get('forwards/ssh/diagnosis');
  expect(found.body).toMatchObject({ node: 'n1', routers: 1, forwards: 1, problems: 1, warnings: 1 });
  expect(asked).toEqual([[ROUTER, id]]);
  expect(codes(found)).toEqual([
    ['capabilities_present', null],
    ['driver_library', null],
    ['forward_active', ROUTER],
    ['forwarding_off', ROUTER],
    ['gateway_present', ROUTER],
    ['conntrack_nearly_full', ROUTER],
  ]);
});

test('one forward, for many who ask at once: hardly more work than for one', async () => {
  let asked = 0;
  let arrived = 0;
  const answer = Promise.withResolvers<void>();
  await open({
    authenticate: async (request) => {
      if (request.method === 'GET') arrived += 1;
      return authenticateSocket(request);
    },
    examineRouter: async () => {
      asked += 1;
      await answer.promise;
      return [FACTS];
    },
  });
  const found = Array.from({ length: 20 }, () => get('forwards/ssh/diagnosis'));
  await eventually(() => expect([arrived, asked]).toEqual([found.length, 1]));
  answer.resolve();
  for (const each of found) expect((await each).body).toMatchObject({ routers: 1 });
  expect(asked).toBeLessThanOrEqual(2);
});

test('the node and its routers: what is wrong, and only what forwards need', async () => {
  await open();
  const found = await get('diagnosis');
  expect(found.body).toMatchObject({ routers: 2, forwards: 1, problems: 1, warnings: 2 });
  expect(codes(found).slice(2)).toEqual([
    ['forwarding_off', ROUTER],
    ['conntrack_nearly_full', ROUTER],
    ['conntrack_nearly_full', OTHER_ROUTER],
  ]);
  expect((await get(`diagnosis?router=${OTHER_ROUTER}`)).body).toMatchObject({ routers: 1, forwards: 0, problems: 0 });
});

test('rights that are missing', async () => {
  await open({ examineNode: async () => ({ missingCapabilities: ['CAP_NET_ADMIN'] }) });
  const { body } = await get('diagnosis');
  expect(body.findings[0]).toEqual({
    level: 'problem',
    code: 'capability_missing',
    router: null,
    instance: null,
    forward: null,
    seen: 'the daemon lacks CAP_NET_ADMIN',
    advice: expect.stringContaining('root'),
  });
});

test('what there is not', async () => {
  await open();
  expect(await get('forwards/nothing/diagnosis')).toMatchObject({ status: 404, body: { code: 'forward_not_found' } });
  expect(await get('diagnosis?router=nowhere')).toMatchObject({
    status: 404,
    body: { code: 'router_not_found', field: 'router' },
  });
});

test('a router that cannot be looked at is a finding, and hides no other', async () => {
  await open({
    examineRouter: async (router) => {
      if (router === ROUTER) throw hatobaError('kernel_refused', { namespace: 'edge', reason: 'no table nat' });
      return [FACTS];
    },
  });
  const found = await get('diagnosis');
  expect(found.status).toBe(200);
  expect(codes(found)).toContainEqual(['router_unreadable', ROUTER]);
  expect(codes(found)).toContainEqual(['conntrack_nearly_full', OTHER_ROUTER]);
});
