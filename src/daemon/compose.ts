import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { type Logger, pino } from 'pino';
import { type Agent, type AgentObserver, createAgent } from '../agent/agent.ts';
import type { NodeInfo } from '../api/deps.ts';
import { refuseOccupied, refuseRunning } from '../api/listen/socket.ts';
import { NO_ROUTERS } from '../api/local-node.ts';
import { createObservations, type Observations } from '../api/metrics/observations.ts';
import { createRouterOwners } from '../api/neutron/upstream/router-owners.ts';
import { cleanAll } from '../dataplane/clean-all.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { LinuxOptions } from '../dataplane/linux/linux-dataplane.ts';
import { createLinuxNeighbours } from '../dataplane/linux/linux-neighbours.ts';
import { startEarly } from '../dataplane/start-early.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { KernelThread } from '../kernel/kernel-thread.ts';
import { type Notify, openNotify, watchdogInterval } from '../kernel/systemd.ts';
import { reasonOf } from '../model/errors.ts';
import { parseGrants } from '../model/grants.ts';
import { parsePortRange } from '../model/port-range.ts';
import { type OpenRegistry, openRegistry } from '../registry/open-registry.ts';
import type { Registry } from '../registry/registry.ts';
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { type Flags, loadConfig } from './config.ts';
import type { Config } from './config-schema.ts';
import { createDataplane, openKernel } from './dataplane.ts';
import { type End, listenForEnd } from './end.ts';
import { checkKeystone } from './keystone.ts';
import { listenAddress } from './listen-address.ts';
import { observeStore } from './observed-store.ts';
import { checkKeyPair } from './tcp-key-pair.ts';
import { openUsageFile } from './usage-file.ts';
import { startWatchdog } from './watchdog.ts';

export interface DaemonOptions extends Flags {
  /** Removes the forwards from the kernel at the end; otherwise they stay, and go on working. */
  readonly cleanupOnExit?: boolean;
}

/** See main.ts. */
export async function runDaemon(options: DaemonOptions, thread: KernelThread): Promise<void> {
  const config = loadConfig(options, process.env);
  const log = pino({ level: config.log_level, serializers: { error: reasonOf } });
  const notify = openNotify(process.env);
  const end = listenForEnd();
  await using steps = new AsyncDisposableStack();
  steps.defer(() => end.release());
  const starting = start({ config, log, notify, end, steps, thread }, options.cleanupOnExit ?? false);
  // A start that is cut short is finished first: only then is everything that it has begun known, and undone.
  try {
    await Promise.race([starting, end.reached]);
  } finally {
    await Promise.allSettled([starting]);
  }
  notify('READY=1');
  // By itself, Node does so when the process ends, and a killed one never does.
  flushCompileCache();
  releaseMemory();
  await end.reached;
  notify('STOPPING=1');
  log.info('stopping');
}

/** See main.ts. */
export async function cleanUp(
  options: Flags,
  thread: KernelThread,
): Promise<{ readonly instances: readonly string[] }> {
  const config = loadConfig(options, process.env);
  await refuseRunning(config.socket);
  const failures: unknown[] = [];
  const kernel = await openKernel(config, thread, (error) => failures.push(error));
  const dataplane = createDataplane(config, kernel, (_message, { error }) => {
    if (error !== undefined) failures.push(error);
  });
  const instances: string[] = [];
  try {
    await dataplane.start((event) => {
      if (event.kind === 'appeared') instances.push(event.instance.id);
    });
    await cleanAll(dataplane, instances);
  } finally {
    await dataplane.stop();
  }
  if (failures.length > 0) throw failures[0];
  return { instances };
}

/** In ms: what programs may still take in sum once the daemon is to stop, without and with forwards to take out of the kernel. */
const STOP_WITHIN = 2_000;
const CLEANUP_WITHIN = 60_000;

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  readonly notify: Notify;
  readonly end: End;
  readonly thread: KernelThread;
  /** How what was started is undone, in reverse order. */
  readonly steps: AsyncDisposableStack;
}

/** Routers are looked for while the store is read, and the API begins once the forwards are where they belong. */
async function start(around: Surroundings, cleanupOnExit: boolean): Promise<void> {
  const { config, log, notify, end, steps } = around;
  const startedAt = new Date().toISOString();
  listenAddress(config);
  checkKeystone(config);
  await checkKeyPair(config);
  const owners = createRouterOwners();
  const grants = parseGrants(config.projects, owners.mayUse);
  await refuseOccupied(config.socket);
  const kernel = await openOwnKernel(around, cleanupOnExit ? CLEANUP_WITHIN : STOP_WITHIN);
  const warn: LinuxOptions['onWarning'] = (message, details) => log.warn(details, message);
  const dataplane = kernel && (await startEarly(createDataplane(config, kernel, warn)));
  const observations = createObservations();
  const store = openOwnStore(around, observations);
  const registry = await openOwnRegistry(around, store);
  const agent = kernel && dataplane && createOwnAgent(around, { kernel, dataplane, registry, observations });
  if (agent !== null) {
    steps.defer(() => agent.stop());
    if (cleanupOnExit) steps.defer(() => agent.cleanUp());
  }
  await agent?.start();
  const node = nodeInfo(config, kernel?.driver ?? null, startedAt);
  const alive = async () => kernel?.ping();
  if (config.roles.includes('api')) {
    const { forward_metrics: forwardMetrics } = config;
    const local = agent ?? NO_ROUTERS;
    const { serveApi } = await import('./api.ts');
    const verifyStore = () => store.verify();
    const ready = () => Promise.all([alive(), verifyStore()]).then(() => undefined);
    const parts = { registry, grants, node, local, observations, forwardMetrics, ready, verifyStore };
    await serveApi({ config, log, steps }, parts, owners);
  }
  steps.defer(startWatchdog(watchdogInterval(process.env, process.pid), alive, notify, (error) => end.fatal(error)));
  log.info(node, 'ready');
}

/** `null`: it is not for this daemon to look after routers. */
async function openOwnKernel({ config, end, steps, thread }: Surroundings, stopWithin: number): Promise<Kernel | null> {
  if (!config.roles.includes('agent')) return null;
  const kernel = await openKernel(config, thread, (error) => end.fatal(error));
  steps.defer(() => kernel.stop());
  // Whatever is under way then, also a start that is cut short.
  const endPrograms = () => kernel.endProgramsWithin(stopWithin);
  end.reached.then(endPrograms, endPrograms);
  return kernel;
}

interface AgentParts {
  readonly kernel: Kernel;
  readonly dataplane: Dataplane;
  readonly registry: Registry;
  readonly observations: Observations;
}

function createOwnAgent({ config, log }: Surroundings, { kernel, observations, ...parts }: AgentParts): Agent {
  const observer: AgentObserver = {
    passed: (seconds) => observations.note({ kind: 'pass', seconds }),
    failed: () => observations.note({ kind: 'failure' }),
    repaired: (corrections) => observations.note({ kind: 'repair', corrections }),
  };
  return createAgent({
    ...parts,
    node: config.node,
    neighbours: createLinuxNeighbours(kernel),
    usageMemory: openUsageFile(`${databaseOf(config)}.usage`),
    log,
    observer,
  });
}

function openOwnStore({ config, log, steps }: Surroundings, observations: Observations): Store {
  const store = observeStore(openSqliteStore(databaseOf(config)), {
    committed: (seconds, failed) => observations.note({ kind: 'commit', seconds, failed }),
    availability(trouble) {
      if (trouble === null) log.info('store available again');
      else log.error({ error: trouble, hint: trouble.hint }, 'store unavailable');
    },
  });
  steps.defer(() => store.close());
  return store;
}

async function openOwnRegistry({ config, end, steps }: Surroundings, store: Store): Promise<OpenRegistry> {
  const registry = await openRegistry(store, {
    onError: (error) => end.fatal(error),
    autoPorts: parsePortRange(config.auto_ports),
  });
  steps.defer(() => registry.stop());
  return registry;
}

function databaseOf({ store }: Config): string {
  return store.replace(/^sqlite:/, '');
}

function nodeInfo({ node, store, roles }: Config, driver: string | null, startedAt: string): NodeInfo {
  return { version: version(), name: node, driver, startedAt, store, roles };
}

/**
 * Reading the store leaves as much garbage as there are forwards, and a daemon that then has little to do would keep it
 * for ever. Without --expose-gc nothing happens.
 */
function releaseMemory(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const stated = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return String(stated);
}
