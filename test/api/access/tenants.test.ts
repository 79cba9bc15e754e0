import { request as httpRequest } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { LocalNode } from '../../../src/api/local-node.ts';
import { parseAddress } from '../../../src/model/address.ts';
import type { Caller } from '../../../src/model/caller.ts';
import type { Forward } from '../../../src/model/forward.ts';
import { parseGrants } from '../../../src/model/grants.ts';
import type { Passage } from '../../../src/program/facts.ts';
import { isRule, resolveForward } from '../../../src/program/rule.ts';
import { spec } from '../../registry/specs.ts';
import { type Bench, openBench, publish, ROUTER, report } from '../api-under-test.ts';

const BLUE_ROUTER = '9a8b7c6d-0000-4000-8000-0000000000b1';
const GRANTS = parseGrants([
  { project: 'red', quota: 5, external_ports: '5000-5999', routers: [{ router: ROUTER }] },
  { project: 'blue', routers: [{ router: '*' }] },
]);

/** What appears in nothing that red is told. */
const SECRETS = ['bluely', '10.66.', '203.0.113.66', BLUE_ROUTER];

const RED: Caller = { name: 'token red', role: 'admin', project: 'red', allProjects: false };
const OPERATOR: Caller = { name: 'socket', role: 'admin', project: null, allProjects: true };

/** Whoever is to ask next. */
let caller: Caller;
let bench: Bench;
let own: Forward;
let blue: Forward;
let routes: { readonly method: string; readonly url: string }[];
let secrets: readonly string[];
let floatingIps: readonly string[];

const passage: Passage = {
  chain: 'iptables-nft filter FORWARD',
  packet: 'first',
  outcome: 'drop',
  rule: '-A FORWARD -d 10.66.0.1 -j DROP',
  author: null,
};

const WAY = {
  arrivesBy: ['qg-1'],
  isHairpin: false,
  isBridged: false,
  toTarget: { interface: 'qr-1', nextHop: null },
  isLocal: false,
  refusal: null,
  toClient: { interface: 'qg-1', nextHop: null },
  client: parseAddress('192.0.2.1'),
};

/** A node that tells everything about both. */
function localNode(): Partial<LocalNode> {
  const count = (forward: Forward) => ({ forward: forward.id, connections: 1, in: null, out: null, lastUsed: null });
  const facts = (forward: Forward) => {
    const rule = resolveForward(forward, report(0).gateways);
    if (!isRule(rule)) throw new Error('there is no rule');
    return {
      rule,
      hasAddress: true,
      connections: 1,
      way: WAY,
      passages: [passage],
      translatesSource: 'no' as const,
      target: null,
    };
  };
  return {
    counters: async () => [own, blue].map(count),
    liveFlows: async () => new Map([own, blue].map(({ id }) => [id, 3])),
    flowUsage: async () => [{ router: BLUE_ROUTER, entries: 1, limit: 2 }],
    examineRouter: async () => [
      {
        instance: `qrouter-${ROUTER}`,
        gateways: report(0).gateways,
        outside: { 4: ['qg-1'], 6: ['qg-1'] },
        forwarding: { 4: true, 6: true },
        flows: { entries: 1, limit: 100 },
        strictReversePath: [],
        routingRules: { 4: ['9: from 10.66.0.1 lookup bluely'], 6: [] },
        unread: ['line 3: bluely'],
        rules: new Map([own, blue].map((forward) => [forward.id, facts(forward)])),
      },
    ],
  };
}

beforeEach(async () => {
  caller = OPERATOR;
  bench = await openBench({ grants: GRANTS, authenticate: async () => caller, ...localNode() });
  onTestFinished(() => bench[Symbol.asyncDispose]());
  routes = [];
  bench.api.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
  const { forwards } = bench.registry;
  own = await forwards.create(spec({ router: ROUTER, name: 'web', project_id: 'red' }));
  const secret = { project_id: 'blue', name: 'bluely', description: 'bluely', labels: { bluely: 'bluely' } };
  blue = await forwards.create(
    spec({ ...secret, router: ROUTER, external_port: 5666, internal_address: '10.66.0.1', sources: ['10.66.1.0/24'] }),
  );
  await forwards.create(spec({ ...secret, name: 'web', router: BLUE_ROUTER, external_address: '203.0.113.66' }));
  const problem = { state: 'error', message: 'bluely' } as const;
  const told = { problems: { [blue.id]: problem }, warnings: { [own.id]: ['bluely'], [blue.id]: ['bluely'] } };
  await publish(bench.registry, report(1000, told), report(1000, { router: BLUE_ROUTER }));
  const listed = (await bench.api.inject('/v2.0/floatingips')).json();
  floatingIps = listed.floatingips.map(({ id }: { id: string }) => id);
  const blueIps = listed.floatingips.filter(({ router_id }: { router_id: string }) => router_id === BLUE_ROUTER);
  secrets = [...SECRETS, blue.id, blue.id.slice(0, 13), ...blueIps.map(({ id }: { id: string }) => id)];
  expect(secrets).toHaveLength(SECRETS.length + 3);
  caller = RED;
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function ask(method: Method, url: string, payload?: object, known: readonly string[] = []) {
  const answer = await bench.api.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  const text = `${answer.body} ${JSON.stringify(answer.headers)}`;
  const leaked = secrets.filter((secret) => text.includes(secret) && !known.some((said) => said.includes(secret)));
  expect([method, url, leaked]).toEqual([method, url, []]);
  expect(answer.statusCode).toBeLessThan(500);
  return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() };
}

/** What can be asked with each query and body, besides nothing at all. */
const QUERIES = [
  '',
  `router=${ROUTER}`,
  `router=${BLUE_ROUTER}`,
  'live=true',
  'project_id=blue',
  'state=error',
  'replace=true',
];
const PACKET = { source: '10.66.1.5', destination: '192.168.1.100', destination_port: 5666 };
const WISH = { router: ROUTER, external_port: 5666, internal_address: '192.168.50.12' };
const WISH_OF_NEUTRON = {
  protocol: 'tcp',
  external_port: 5666,
  internal_port: 22,
  internal_ip_address: '10.66.0.1',
  internal_port_id: '10.66.0.1',
};
const BODIES: Readonly<Record<string, readonly object[]>> = {
  '/v1/forwards': [
    WISH,
    { ...WISH, router: BLUE_ROUTER },
    { ...WISH, external_port: 5700, name: 'scarlet' },
    { ...WISH, external_port: 'auto', internal_port: 22 },
    { ...WISH, project_id: 'blue' },
  ],
  '/v2.0/floatingips/:floatingip/port_forwardings': [
    { port_forwarding: WISH_OF_NEUTRON },
    { port_forwarding: { ...WISH_OF_NEUTRON, external_port: 5777, project_id: 'blue' } },
    { port_forwardings: [WISH_OF_NEUTRON, { ...WISH_OF_NEUTRON, external_port: 5778 }] },
  ],
  '/v1/forwards/bulk': [
    { forwards: [{ ...WISH, external_port: 5701 }, WISH] },
    {
      forwards: [
        { ...WISH, external_port: 'auto' },
        { ...WISH, name: 'web' },
      ],
    },
    { forwards: [{ ...WISH, external_port: 5702, project_id: 'blue' }] },
  ],
  '/v1/apply': [
    { forwards: [WISH], dry_run: true },
    { forwards: [{ ...WISH, router: BLUE_ROUTER }] },
    { forwards: [], prune: 'all', dry_run: true },
  ],
  '/v1/trace': [
    { ...PACKET, router: ROUTER, source: '198.51.100.5' },
    { ...PACKET, source: '198.51.100.5', router: BLUE_ROUTER },
    { ...PACKET, source: '198.51.100.5', destination_port: 5667 },
    { ...PACKET, source: '198.51.100.5', live: true },
  ],
};

test('no answer at any route tells a project of what is of another', async () => {
  const names = ['web', 'bluely', blue.id.slice(0, 4), '10.66.0.1'];
  const references = [...names, own.id, blue.id, ROUTER, BLUE_ROUTER, ...floatingIps];
  let asked = 0;
  for (const { method, url } of routes) {
    // The same is at the paths with .json.
    if (method === 'HEAD' || url.endsWith('/events') || url.endsWith('.json')) continue;
    for (const said of waysTo(url, references)) {
      for (const query of queriesFor(method, url)) {
        for (const payload of method === 'GET' || method === 'DELETE' ? [undefined] : bodiesFor(url)) {
          // What it says itself, it may be told again.
          await ask(toMethod(method), `${said}?${query}`, payload, [said, query, JSON.stringify(payload ?? '')]);
          asked++;
        }
      }
    }
  }
  expect(asked).toBeGreaterThan(500);
  expect(bench.registry.forwards.list().filter(({ projectId }) => projectId === 'blue')).toHaveLength(2);
});

/** With every reference in the place of each parameter. */
function waysTo(url: string, references: readonly string[]): readonly string[] {
  const [parameter] = /:\w+/.exec(url) ?? [];
  if (parameter === undefined) return [url];
  return references.flatMap((reference) => waysTo(url.replace(parameter, reference), references));
}

function queriesFor(method: string, url: string): readonly string[] {
  if (method !== 'GET') return ['wait=0'];
  return url.includes(':') ? [''] : QUERIES;
}

function bodiesFor(url: string): readonly object[] {
  return BODIES[url.replace('/:id', '')] ?? [{}];
}

test('the same secrets are in what an operator is told, so that they would be found', async () => {
  caller = OPERATOR;
  const urls = ['forwards', 'routers', 'counters', 'status', 'diagnosis', `forwards/${own.id}/diagnosis`];
  for (const url of [...urls.map((name) => `v1/${name}`), 'v2.0/floatingips', 'v2.0/routers', 'v2.0/ports']) {
    const { body } = await bench.api.inject(`/${url}`);
    expect([url, secrets.some((secret) => body.includes(secret))]).toEqual([url, true]);
  }
});

describe('what a project is told of a router that it shares', () => {
  test('its own count and its own states', async () => {
    const { body } = await ask('GET', '/v1/routers');
    expect(body.routers).toMatchObject([{ id: ROUTER, forwards: 1, nodes: [{ problems: 0 }] }]);
    expect((await ask('GET', `/v1/routers/${BLUE_ROUTER}`, undefined, [BLUE_ROUTER])).status).toBe(404);
  });

  test('its own counters', async () => {
    const { body } = await ask('GET', '/v1/counters?live=true');
    expect(body.counters).toMatchObject([{ forward: own.id, live: 3 }]);
  });

  test('that rules of others are in the way, not which', async () => {
    const { body } = await ask('GET', '/v1/forwards/web/diagnosis');
    const codes = body.findings.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(expect.arrayContaining(['rule_drops', 'rules_overlap', 'rules_unread']));
  });

  test('that a port is taken, not by what', async () => {
    const answer = await ask('POST', '/v1/forwards?wait=0', WISH);
    expect([answer.status, answer.body.code]).toEqual([409, 'forward_conflict']);
    const flow = { ...PACKET, router: ROUTER };
    const { body } = await ask('POST', '/v1/trace', flow, ['10.66.']);
    expect(body).toMatchObject({ forward: null, another_project: true, target: null, nodes: [] });
    const free = await ask('POST', '/v1/trace', { ...flow, destination_port: 5667 }, ['10.66.']);
    expect(free.body).toMatchObject({ forward: null, another_project: false });
    const taken = await ask('POST', '/v1/trace', { ...flow, destination_port: 5001 }, ['10.66.']);
    expect(taken.body).toMatchObject({ forward: { id: own.id }, another_project: false });
  });

  test('nothing by who has none', async () => {
    caller = { ...RED, project: null };
    expect((await ask('GET', '/v1/forwards')).body.forwards).toEqual([]);
    expect((await ask('GET', '/v1/routers')).body.routers).toEqual([]);
  });
});

test('events are of its own only, also when it is given something or loses it', async () => {
  const address = await bench.api.listen({ host: '127.0.0.1', port: 0 });
  const stream = openStream(`${address}/v1/events`);
  const { forwards } = bench.registry;
  await stream.until('retry');
  await forwards.update(blue.id, (before) => ({ ...before, enabled: false }));
  await forwards.update(own.id, (before) => ({ ...before, description: 'seen' }));
  await stream.until('seen');
  await forwards.update(own.id, (before) => ({ ...before, projectId: 'blue', name: 'bluely3' }));
  await stream.until('"forward":null');
  await forwards.update(own.id, (before) => ({ ...before, enabled: false }));
  await forwards.remove(blue.id);
  await publish(bench.registry, report(2000), report(2000, { router: BLUE_ROUTER }));
  await stream.until('"revision":2000');
  const text = stream.text();
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  expect(text.split('"forward":null')).toHaveLength(2);
});

function openStream(url: string) {
  let text = '';
  const sent = httpRequest(url, (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('error', () => undefined);
  });
  sent.on('error', () => undefined).end();
  onTestFinished(() => {
    sent.destroy();
  });
  return {
    text: () => text,
    async until(part: string) {
      while (!text.includes(part)) await setTimeout(2);
    },
  };
}

function toMethod(text: string): Method {
  const known = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).find((method) => method === text);
  if (known === undefined) throw new Error(`an unknown method ${text}`);
  return known;
}
