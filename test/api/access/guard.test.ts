import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { type Access, ADMIN, READ, READ_ALL, WRITE } from '../../../src/api/access/access.ts';
import { guardRoutes } from '../../../src/api/access/guard.ts';
import { answerWithProblems } from '../../../src/api/problem.ts';
import { type Caller, ROLES, type Role } from '../../../src/model/caller.ts';
import { hatobaError } from '../../../src/model/errors.ts';
import { openBench } from '../api-under-test.ts';
import { openUpstreamBench } from '../neutron/upstream-under-test.ts';

const OWN = ROLES.map((role): Caller => ({ name: `own ${role}`, role, project: 'red', allProjects: false }));
const ALL = ROLES.map((role): Caller => ({ name: `all ${role}`, role, project: null, allProjects: true }));

interface Served {
  readonly method: string;
  readonly url: string;
  readonly access: Access | undefined;
}

/** Alone, and with a Neutron behind it. */
const PLACES: readonly [string, typeof openBench][] = [
  ['alone', openBench],
  ['in front of Neutron', openUpstreamBench],
];

/** Every route of the API, asked by one caller. */
async function openApi(caller: Caller | null, open = openBench) {
  const bench = await open({
    authenticate: async () => {
      if (caller === null) throw hatobaError('not_authenticated', { reason: 'nobody is known' });
      return caller;
    },
  });
  const routes: Served[] = [];
  bench.api.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, access: config?.access });
  });
  await bench.api.ready();
  return { bench, routes };
}

/** A path at which the route is: ids are those that a gateway could have. */
/** Ids of hatoba's own documents are UUIDs of version 5, Neutron's are of version 4. */
const OWN_ID = '9e3fbcf6-7ab5-5a5e-9ec2-05fba87e0162';
const NEUTRON_ID = '9e3fbcf6-7ab5-4a5e-9ec2-05fba87e0162';

function pathAt(url: string, id = OWN_ID): string {
  return url.replace(/:\w+(?:\([^)]*\))?/g, id).replace('*', 'networks');
}

function mayUse({ role, allProjects }: Caller, access: Access | undefined): boolean {
  if (access === undefined || typeof access === 'string') return access === 'public';
  return ROLES.indexOf(role) >= ROLES.indexOf(access.role) && (access.scope === 'project' || allProjects);
}

describe.each(PLACES)('the routes of the API %s', (_place, open) => {
  test.each([...OWN, ...ALL])('let $name do what they say and nothing else', async (caller) => {
    const { bench, routes } = await openApi(caller, open);
    await using _ = bench;
    expect(routes.length).toBeGreaterThan(20);
    for (const { method, url, access } of routes) {
      if (access === 'passed-on' || (url.endsWith('/events') && mayUse(caller, access))) continue;
      const { statusCode } = await bench.api.inject({ method: toMethod(method), url: pathAt(url) });
      expect([method, url, statusCode === 403]).toEqual([method, url, !mayUse(caller, access)]);
    }
  });

  test('let nobody in who is not known', async () => {
    const { bench, routes } = await openApi(null, open);
    await using _ = bench;
    for (const { method, url, access } of routes) {
      if (access === 'passed-on') continue;
      const { statusCode } = await bench.api.inject({ method: toMethod(method), url: pathAt(url) });
      expect([method, url, statusCode === 401]).toEqual([method, url, access !== 'public']);
    }
  });
});

test('what is passed on is answered by Neutron, whoever asks', async () => {
  const bench = await openUpstreamBench({
    authenticate: async () => {
      throw hatobaError('not_authenticated', { reason: 'nobody is known' });
    },
  });
  await using _ = bench;
  const passed: string[] = [];
  bench.api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === 'passed-on') passed.push(...[method].flat().map((one) => `${one} ${url}`));
  });
  await bench.api.ready();
  for (const route of passed) {
    const [method = '', url = ''] = route.split(' ');
    if (!METHODS.some((known) => known === method)) continue;
    const before = bench.neutron.asked.length;
    await bench.api.inject({ method: toMethod(method), url: pathAt(url, NEUTRON_ID) });
    expect(bench.neutron.asked.length, route).toBeGreaterThan(before);
  }
  const urls = passed.map((route) => route.replace(/^\S+ /, '')).sort();
  expect([...new Set(urls)]).toEqual([
    '/',
    '/healthcheck',
    '/healthcheck/*',
    '/v2.0/*',
    '/v2.0/extensions',
    '/v2.0/extensions/floating-ip-port-forwarding',
    '/v2.0/extensions/floating-ip-port-forwarding-description',
    '/v2.0/extensions/floating-ip-port-forwarding-port-ranges',
    '/v2.0/floatingips',
    '/v2.0/floatingips/:floatingip/port_forwardings',
    '/v2.0/floatingips/:floatingip/port_forwardings/:id',
    '/v2.0/ports/:id',
    '/v2.0/routers/:id',
    '/v2.0/routers/:id/remove_external_gateways',
    '/v2.0/routers/:id/remove_router_interface',
    '/v2.0/routers/:id/update_external_gateways',
  ]);
});

describe('the routes of the API', () => {
  test('are public only where nothing is told of what there is', async () => {
    const { bench, routes } = await openApi(ALL[2] ?? OWN[0] ?? nobody());
    await using _ = bench;
    const open = routes.filter(({ access, method }) => access === 'public' && method !== 'HEAD');
    expect(open.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /',
      'GET /healthz',
      'GET /openapi.json',
      'GET /readyz',
    ]);
  });

  test('that change something are not for readers', async () => {
    const { bench, routes } = await openApi(ALL[2] ?? nobody());
    await using _ = bench;
    const changing = routes.filter(({ method, url }) => !['GET', 'HEAD'].includes(method) && url !== '/v1/trace');
    expect(changing.filter(({ access }) => mayUse({ ...nobody(), role: 'reader', allProjects: true }, access))).toEqual(
      [],
    );
  });
});

describe('a guard', () => {
  const given = (caller: Caller | null) => {
    const api = fastify();
    answerWithProblems(api);
    guardRoutes(api, async () => {
      if (caller === null) throw new Error('nobody');
      return caller;
    });
    return api;
  };

  test('takes no route that does not say who may use it', async () => {
    const api = given(null);
    expect(() => api.get('/open', () => 'x')).toThrow('GET /open does not say who may use it');
  });

  test('looks at who asks before anything else of the request', async () => {
    const api = given(null);
    let read = false;
    api.addHook('preParsing', async () => {
      read = true;
    });
    api.post('/x', { config: { access: READ } }, () => 'x');
    expect((await api.inject({ method: 'POST', url: '/x', payload: { a: 1 } })).statusCode).toBe(500);
    expect(read).toBe(false);
  });

  test('knows nobody on a public route', async () => {
    const api = given(ALL[2] ?? null);
    api.get('/x', { config: { access: 'public' } }, ({ caller }) => caller.name);
    expect((await api.inject('/x')).statusCode).toBe(500);
  });

  test.each<[string, Access, Role | 'nobody']>([
    ['READ', READ, 'reader'],
    ['READ_ALL', READ_ALL, 'reader'],
    ['WRITE', WRITE, 'member'],
    ['ADMIN', ADMIN, 'admin'],
  ])('%s tells who is missing what', async (_name, access, needed) => {
    for (const caller of [...OWN, ...ALL]) {
      const api = given(caller);
      api.get('/x', { config: { access } }, (request) => request.caller.name);
      const answer = await api.inject('/x');
      const allowed = mayUse(caller, access);
      expect([caller.name, answer.statusCode]).toEqual([caller.name, allowed ? 200 : 403]);
      expect(answer.body).toContain(allowed ? caller.name : '"code":"');
      if (!allowed && answer.json().code === 'role_missing') expect(answer.json().detail).toContain(needed);
    }
  });

  test.each([
    ['not_authenticated', false],
    ['roles_useless', false],
    ['too_many_requests', true],
    ['authentication_unavailable', true],
  ] as const)('says of whom it gets %s that they still may: %s', async (code, still) => {
    const api = fastify();
    const known = async () => OWN[0] ?? nobody();
    let authenticate = known;
    guardRoutes(api, () => authenticate());
    api.get('/x', { config: { access: READ } }, async (request) => {
      authenticate = async () => {
        throw hatobaError(code, { user: 'x', roles: 'x', needed: 'x', what: 'x', limit: 1, seconds: 1, reason: 'x' });
      };
      return { still: await request.isStillAllowed() };
    });
    expect((await api.inject('/x')).json()).toEqual({ still });
  });

  test('says that nobody may any more who has other rights than before', async () => {
    const api = fastify();
    let caller = ALL[0] ?? nobody();
    guardRoutes(api, async () => caller);
    api.get('/x', { config: { access: READ } }, async (request) => {
      const before = await request.isStillAllowed();
      caller = OWN[0] ?? nobody();
      return [before, await request.isStillAllowed()];
    });
    expect((await api.inject('/x')).json()).toEqual([true, false]);
  });

  test('answers what is at no route alike to everybody', async () => {
    expect((await given(null).inject('/nothing')).statusCode).toBe(404);
  });
});

function nobody(): Caller {
  return { name: 'nobody', role: 'reader', project: null, allProjects: false };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function toMethod(text: string): (typeof METHODS)[number] {
  const known = METHODS.find((method) => method === text);
  if (known === undefined) throw new Error(`an unknown method ${text}`);
  return known;
}
