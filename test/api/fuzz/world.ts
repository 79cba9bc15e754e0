import type { Authenticate } from '../../../src/api/access/guard.ts';
import { authenticateByToken } from '../../../src/api/access/token-callers.ts';
import type { LocalNode } from '../../../src/api/local-node.ts';
import type { Caller } from '../../../src/model/caller.ts';
import type { Forward } from '../../../src/model/forward.ts';
import { spec } from '../../registry/specs.ts';
import { type Bench, openBench, publish, report } from '../api-under-test.ts';
import { tellingNode } from './local-node.ts';
import {
  BLUE_ROUTER,
  type FuzzCaller,
  GRANTS,
  isOperator,
  KNOWN_CALLERS,
  OPERATOR,
  OWN_ROUTER,
  type Owner,
  RED_ROUTER,
  SECRETS,
  SEEDS,
  SHARED_ROUTER,
} from './tenants.ts';

/** Two projects and what belongs to none, behind the real API over the real registry, asked with real tokens. */
export interface World extends AsyncDisposable {
  readonly bench: Bench;
  /** Makes everything as it was at the beginning. */
  reset(): Promise<void>;
  /** The header by which the caller is known; none has one that is nobody's. */
  credentialOf(caller: FuzzCaller): Readonly<Record<string, string>>;
  /** What of each of them nobody else is told, with what only the running API knows. */
  readonly secrets: Readonly<Record<Owner, readonly string[]>>;
  /** Ids under `/v2.0`: of the floating IPs that stand for gateways, and by the collection. */
  readonly floatingIps: readonly string[];
  /** The one of the router where both projects have forwards. */
  readonly sharedFloatingIp: string;
  readonly things: Readonly<Record<string, readonly string[]>>;
  /** Where pages of `/v1/forwards` end, for an operator. */
  readonly markers: readonly string[];
  /** The port at `FREE_ADDRESS`. */
  readonly freePort: string;
  /** What a secret of a token begins with: no answer has one but that which tells it for the first time. */
  readonly tokenSecrets: () => readonly string[];
}

interface Thing {
  readonly id: string;
  readonly name?: string;
  readonly router_id?: string;
}

/** Inside; nobody has it yet. */
export const FREE_ADDRESS = '192.168.50.11';

/** Nodes have applied more than will ever be wanted, so no request waits for them. */
const EVERYTHING = 1_000_000_000;

/** What is wrong there, on purpose. */
export interface WorldOptions {
  /** For whom callers are taken, once they are known. */
  readonly mistake?: (caller: Caller) => Caller;
  readonly node?: Partial<LocalNode>;
}

export async function openWorld({ mistake = (caller) => caller, ...wrong }: WorldOptions = {}): Promise<World> {
  let authenticate: Authenticate = async () => Promise.reject(new Error('it is not open yet'));
  let listed: () => readonly Forward[] = () => [];
  const node = { ...tellingNode(() => listed()), ...wrong.node };
  const bench = await openBench({ ...node, grants: GRANTS, authenticate: (request) => authenticate(request) });
  const { registry, api } = bench;
  const byToken = authenticateByToken(registry.tokens, null);
  authenticate = async (request) => mistake(await byToken(request));
  listed = () => registry.forwards.list();

  const secretsOfTokens = new Map<string, string>();
  await resetForwards(bench);
  await resetTokens(bench, secretsOfTokens);
  await publish(registry, ...[SHARED_ROUTER, RED_ROUTER, BLUE_ROUTER, OWN_ROUTER].map(told));
  const ask = async (path: string) =>
    (await api.inject({ url: path, headers: { 'x-auth-token': secretsOfTokens.get(OPERATOR.name) ?? '' } })).json();
  const { floatingips }: { readonly floatingips: readonly Thing[] } = await ask('/v2.0/floatingips');
  const { ports }: { readonly ports: readonly Thing[] } = await ask('/v2.0/ports');
  const things = await Promise.all(
    ['networks', 'subnets', 'routers', 'ports'].map(async (collection) => {
      const { [collection]: listed }: Readonly<Record<string, readonly Thing[]>> = await ask(`/v2.0/${collection}`);
      return [collection, (listed ?? []).map(({ id }) => id)] as const;
    }),
  );

  const free: { readonly ports: readonly Thing[] } = await ask(`/v2.0/ports?name=${FREE_ADDRESS}`);
  const pages = await Promise.all(['created_at', '-name'].map((sort) => ask(`/v1/forwards?limit=3&sort=${sort}`)));

  return {
    bench,
    markers: pages.map(({ next }: { readonly next: string }) => next),
    freePort: free.ports[0]?.id ?? 'none',
    floatingIps: floatingips.map(({ id }) => id),
    sharedFloatingIp: floatingips.find(({ router_id }) => router_id === SHARED_ROUTER)?.id ?? 'none',
    things: Object.fromEntries(things),
    secrets: {
      red: [...SECRETS.red, ...neutronSecrets('10.77.', RED_ROUTER)],
      blue: [...SECRETS.blue, ...neutronSecrets('10.66.', BLUE_ROUTER)],
      nobody: [...SECRETS.nobody, ...neutronSecrets('10.88.', OWN_ROUTER)],
    },
    tokenSecrets: () => [...secretsOfTokens.values()],
    credentialOf: ({ name, role }) => {
      if (role === null) return name === 'bogus-token' ? { authorization: `Bearer hatoba_${'A'.repeat(43)}` } : {};
      return { authorization: `Bearer ${secretsOfTokens.get(name)}` };
    },
    async reset() {
      await resetForwards(bench);
      await resetTokens(bench, secretsOfTokens);
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };

  /** Ids that are made of an address or a router. */
  function neutronSecrets(addresses: string, router: string): readonly string[] {
    const ofPorts = ports.filter(({ name }) => name?.startsWith(addresses));
    const ofGateways = floatingips.filter(({ router_id }) => router_id === router);
    return [...ofPorts, ...ofGateways].map(({ id }) => id);
  }
}

async function resetForwards({ registry: { forwards } }: Bench): Promise<void> {
  const wanted = SEEDS.map(({ id, input }) => ({ id, spec: spec(input), times: null }));
  await forwards.apply({ wanted, prunes: () => true, dryRun: false, kind: 'restore', intoEmpty: false });
}

/** Those of all callers, and nobody else's. */
async function resetTokens({ registry: { tokens } }: Bench, secrets: Map<string, string>): Promise<void> {
  const wanted = new Map(KNOWN_CALLERS.map((caller) => [caller.name, caller]));
  for (const { id, name } of tokens.list()) {
    const isKept = wanted.delete(name) && tokens.withSecret(secrets.get(name) ?? '')?.id === id;
    if (!isKept) await tokens.revoke(id);
  }
  for (const caller of KNOWN_CALLERS) {
    if (tokens.withSecret(secrets.get(caller.name) ?? '') !== undefined) continue;
    const { name, role, project } = caller;
    if (role === null) continue;
    const { secret } = await tokens.create({ name, role, project, expiresAt: null }, 'nobody');
    secrets.set(name, secret);
  }
}

/** What a node tells of the router: of each forward there a warning, and of some a problem, that quote what others have. */
function told(router: string) {
  const there = SEEDS.filter(({ input }) => input.router === router);
  const text = `others have ${Object.values(SECRETS).flat().join(' ')}`;
  return report(EVERYTHING, {
    router,
    gateways: router === OWN_ROUTER ? {} : report(0).gateways,
    problems: Object.fromEntries(
      there
        .filter(({ owner }) => owner === 'blue')
        .map(({ id }) => [id, { state: 'error', message: 'bluely' } as const]),
    ),
    warnings: Object.fromEntries(there.map(({ id }) => [id, [text]])),
  });
}

/** All that is kept and belongs to somebody whose things the caller may not change, to be compared. */
export function outOfReach({ bench: { registry } }: World, caller: FuzzCaller): unknown {
  const canChange = caller.role === 'member' || caller.role === 'admin';
  if (canChange && isOperator(caller)) return [];
  return registry.forwards.list().filter(({ projectId }) => !canChange || projectId !== caller.project);
}
