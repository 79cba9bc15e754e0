import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Adoption } from '../../../src/api/local-node.ts';
import type { AdoptionPlan, ForeignRule, Removal } from '../../../src/model/adoption.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { type Bench, liveNode, openBench, publish, ROUTER, report } from '../api-under-test.ts';

const [FIRST, SECOND] = ['-A PREROUTING -j FIRST', '-A PREROUTING -j SECOND'] as const;
const ruleOf = (text: string): ForeignRule => ({ instance: 'qrouter-1', program: 'iptables-nft', text });
const specOf = (port: number) =>
  parseForwardSpec({ router: ROUTER, external_port: port, internal_address: '10.0.0.5', internal_port: 22 });

/** A plan of two rules: one for both forwards, one for the second alone. */
function planOf(): AdoptionPlan {
  return {
    forwards: [specOf(5001), specOf(5002)],
    rules: [
      { ...ruleOf(FIRST), present: [], created: [0, 1] },
      { ...ruleOf(SECOND), present: [], created: [1] },
    ],
    left: [{ ...ruleOf('-A PREROUTING -j THIRD'), reason: 'it is odd' }],
    bypassed: [{ ...ruleOf('-A PREROUTING -j LOG'), reason: 'they pass it by' }],
    addresses: [],
    unread: [],
    owners: ['Docker', 'Docker', 'Neutron'],
  };
}

let bench: Bench;
let plan: AdoptionPlan | null;
let removals: Removal[];
let removed: ForeignRule[];
let stop: () => void;

beforeEach(async () => {
  plan = planOf();
  removed = [];
  removals = [];
  const adoption: Adoption = {
    plan: async () => plan,
    remove: async (rules) => {
      removed.push(...rules);
      return rules.map((_, at) => removals[at] ?? { outcome: 'removed', reason: null });
    },
  };
  bench = await openBench({ adoption });
  await publish(bench.registry, report(0));
  stop = () => {};
});

afterEach(async () => {
  stop();
  await bench[Symbol.asyncDispose]();
});

async function adopt(body: Readonly<Record<string, unknown>>, wait = '5') {
  const answer = await bench.api.inject({ method: 'POST', url: `/v1/adopt?wait=${wait}`, payload: body });
  return { status: answer.statusCode, body: answer.json() };
}

test('a dry run tells the plan, and changes nothing', async () => {
  const { status, body } = await adopt({ dry_run: true });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    router: ROUTER,
    node: 'n1',
    dry_run: true,
    rules: [
      { text: FIRST, outcome: 'planned' },
      { text: SECOND, outcome: 'planned' },
    ],
    left: [{ reason: 'it is odd' }],
    bypassed: [{ text: '-A PREROUTING -j LOG', reason: 'they pass it by' }],
    owned: [
      { owner: 'Docker', rules: 2 },
      { owner: 'Neutron', rules: 1 },
    ],
  });
  expect(body.changes.map(({ id, change }: { id: unknown; change: unknown }) => [id, change])).toEqual([
    [null, 'create'],
    [null, 'create'],
  ]);
  expect(bench.registry.forwards.list()).toEqual([]);
  expect(removed).toEqual([]);
});

test('rules are removed once their forwards are active', async () => {
  stop = liveNode(bench.registry);
  removals = [
    { outcome: 'removed', reason: null },
    { outcome: 'failed', reason: 'no' },
  ];
  const { body } = await adopt({ router: ROUTER });
  const ids = bench.registry.forwards.list().map(({ id }) => id);
  expect(removed.map(({ text }) => text)).toEqual([FIRST, SECOND]);
  expect(body.rules).toEqual([
    { ...ruleOf(FIRST), outcome: 'removed', reason: null, forwards: ids },
    { ...ruleOf(SECOND), outcome: 'failed', reason: 'no', forwards: [ids[1]] },
  ]);
});

describe('rules stay', () => {
  test('as long as this node does not have their forwards', async () => {
    stop = liveNode(bench.registry, { node: 'n2' });
    const { body } = await adopt({ router: ROUTER }, '0');
    expect(removed).toEqual([]);
    expect(body.rules[0]).toMatchObject({
      outcome: 'kept',
      reason: expect.stringMatching(/^the forward .* is pending/),
    });
    expect(bench.registry.forwards.list()).toHaveLength(2);
  });

  test('where one of their forwards has a problem', async () => {
    const unsubscribe = bench.registry.forwards.subscribe(({ revision }) => {
      const first = bench.registry.forwards.list().find(({ externalPorts }) => externalPorts.first === 5001);
      const problem = { state: 'error', message: 'bad luck' } as const;
      void publish(bench.registry, report(revision, { problems: first === undefined ? {} : { [first.id]: problem } }));
    });
    stop = unsubscribe;
    const { body } = await adopt({ router: ROUTER });
    expect(removed.map(({ text }) => text)).toEqual([SECOND]);
    expect(body.rules[0]).toMatchObject({ text: FIRST, outcome: 'kept', reason: expect.stringContaining('bad luck') });
    expect(body.rules[1]).toMatchObject({ text: SECOND, outcome: 'removed' });
  });

  test('all of them, where one forward is refused', async () => {
    await bench.registry.forwards.create(specOf(5002));
    const { status, body } = await adopt({ router: ROUTER });
    expect([status, body.code]).toEqual([409, 'forward_conflict']);
    expect(bench.registry.forwards.list()).toHaveLength(1);
    expect(removed).toEqual([]);
  });

  test('where the plan that was looked at is no longer the plan', async () => {
    const shown = (await adopt({ dry_run: true })).body.plan;
    expect((await adopt({ dry_run: true, plan: shown })).status).toBe(200);
    plan = { ...planOf(), forwards: [specOf(5001), specOf(5003)] };
    const { status, body } = await adopt({ router: ROUTER, plan: shown });
    expect([status, body.code]).toEqual([409, 'adopt_changed']);
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('where the router is not on this node', async () => {
    plan = null;
    expect((await adopt({ router: ROUTER })).body.code).toBe('router_elsewhere');
    expect((await adopt({ router: 'nowhere' })).body.code).toBe('router_not_found');
  });
});
