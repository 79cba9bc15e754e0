import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { authenticateSocket } from '../../src/api/access/local-callers.ts';
import { createApi } from '../../src/api/api.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { type LocalNode, NO_ROUTERS } from '../../src/api/local-node.ts';
import { parseAddress } from '../../src/model/address.ts';
import type { RouterStatus } from '../../src/model/status.ts';
import { type OpenRegistry, openRegistry, type RegistryOptions } from '../../src/registry/open-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

export const ROUTER = '9a8b7c6d-0000-4000-8000-000000000001';
export const OTHER_ROUTER = '9a8b7c6d-0000-4000-8000-000000000002';
export const STARTED_AT = '2026-01-02T03:04:05.000Z';

export interface Bench extends AsyncDisposable {
  readonly directory: string;
  readonly registry: OpenRegistry;
  readonly api: FastifyInstance;
}

type GivenDeps = Partial<
  Pick<
    ApiDeps,
    | 'answerLimits'
    | 'authenticate'
    | 'admit'
    | 'grants'
    | 'observations'
    | 'forwardMetrics'
    | 'ready'
    | 'verifyStore'
    | 'neutron'
    | 'log'
  >
>;

/** Of what the node itself can tell, only what is given; whoever asks comes by the socket, unless it is said otherwise. */
export interface BenchOptions extends RegistryOptions, SqliteStoreOptions, GivenDeps, Partial<LocalNode> {
  /** Called when changes begin to be read from the store. */
  readonly onWatch?: () => void;
}

/** The real API over the real registry on the real store, in a directory of its own. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-api-'));
  const store = openSqliteStore(join(directory, 'store.db'), options);
  const watch: Store['watch'] = (...wanted) => {
    options.onWatch?.();
    return store.watch(...wanted);
  };
  const registry = await openRegistry({ ...store, watch }, options);
  const node = {
    version: '0.1.0',
    name: 'n1',
    driver: 'libnftables',
    startedAt: STARTED_AT,
    store: 'sqlite:store.db',
    roles: ['api', 'agent'],
  };
  const authenticate = options.authenticate ?? authenticateSocket;
  const local = { ...NO_ROUTERS, ...options };
  const api = createApi({ ...options, authenticate, registry, node, local, log: options.log ?? false });
  return {
    directory,
    registry,
    api,
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await registry.stop();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** What a node would say that has applied everything up to `revision`. */
export function report(revision: number, differences: Partial<RouterStatus> = {}): RouterStatus {
  const router = differences.router ?? ROUTER;
  return {
    router,
    node: 'n1',
    instances: [`qrouter-${router}`],
    gateways: { 4: parseAddress('192.168.1.100') },
    revision,
    at: '2026-01-02T03:04:06.000Z',
    problems: {},
    error: null,
    ...differences,
  };
}

export function publish(registry: Registry, ...statuses: readonly RouterStatus[]): Promise<void> {
  return registry.statuses.publish(statuses[0]?.node ?? 'n1', statuses, []);
}

/** A node that applies every change of the router at once; gives what stops it. */
export function liveNode(registry: Registry, differences: Partial<RouterStatus> = {}): () => void {
  return registry.forwards.subscribe(({ revision }) => {
    publish(registry, report(revision, differences)).catch((error: unknown) => {
      throw error;
    });
  });
}

/** A forward as a user would write it, with the router it is for. */
export function wish(differences: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { router: ROUTER, external_port: 5001, internal_address: '192.168.50.11', internal_port: 22, ...differences };
}
