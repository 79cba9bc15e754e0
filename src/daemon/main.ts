import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Logger, pino } from 'pino';
import { createAgent } from '../agent/agent.ts';
import { createApi } from '../api/api.ts';
import { listenOnSocket } from '../api/socket.ts';
import { createLinuxDataplane, type LinuxDataplane } from '../dataplane/linux/linux-dataplane.ts';
import { NEUTRON_PATTERNS } from '../dataplane/linux/namespaces.ts';
import { type Notify, openNotify, watchdogInterval } from '../kernel/systemd.ts';
import { openRegistry } from '../registry/open-registry.ts';
import { openSqliteStore } from '../store/sqlite/open-sqlite-store.ts';
import { type Flags, loadConfig } from './config.ts';
import type { Config } from './config-schema.ts';
import { type End, listenForEnd } from './end.ts';
import { startWatchdog } from './watchdog.ts';

export interface DaemonOptions extends Flags {
  /** Removes the forwards from the kernel at the end; otherwise they stay, and go on working. */
  readonly cleanupOnExit?: boolean;
}

/**
 * Runs until SIGTERM or SIGINT. Logs go to standard output, one JSON object a line.
 * Errors: `config_malformed`, `daemon_running`, `socket_unusable`, `store_…`, `kernel_…`.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const config = loadConfig(options, process.env);
  const log = pino({ level: config.log_level });
  const notify = openNotify(process.env);
  const end = listenForEnd();
  await using steps = new AsyncDisposableStack();
  steps.defer(() => end.release());
  await Promise.race([start({ config, log, notify, end, steps }, options.cleanupOnExit ?? false), end.reached]);
  notify('READY=1');
  await end.reached;
  notify('STOPPING=1');
  log.info('stopping');
}

/** Removes the forwards of all routers of this machine from the kernel; the store keeps them. */
export async function cleanUp(options: Flags): Promise<{ readonly instances: readonly string[] }> {
  const config = loadConfig(options, process.env);
  const end = listenForEnd();
  const dataplane = createDataplane(config, pino({ level: 'silent' }), end);
  const instances: string[] = [];
  try {
    await dataplane.start((event) => {
      if (event.kind === 'appeared') instances.push(event.instance.id);
    });
    for (const id of instances) await dataplane.clean(id);
  } finally {
    end.release();
    await dataplane.stop();
  }
  return { instances };
}

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  readonly notify: Notify;
  readonly end: End;
  /** How what was started is undone, in reverse order. */
  readonly steps: AsyncDisposableStack;
}

async function start({ config, log, notify, end, steps }: Surroundings, cleanupOnExit: boolean): Promise<void> {
  const startedAt = new Date().toISOString();
  const store = openSqliteStore(config.store.replace(/^sqlite:/, ''));
  steps.defer(() => store.close());
  const registry = await openRegistry(store, { onError: (error) => end.fatal(error) });
  steps.defer(() => registry.stop());
  const dataplane = createDataplane(config, log, end);
  const agent = config.roles.includes('agent')
    ? createAgent({ node: config.node, registry, dataplane, log })
    : undefined;
  if (agent !== undefined) {
    steps.defer(() => agent.stop());
    if (cleanupOnExit) steps.defer(() => agent.cleanUp());
  }
  if (config.roles.includes('api')) {
    const api = createApi({ registry, node: nodeInfo(config, dataplane, startedAt), log });
    await mkdir(dirname(config.socket), { recursive: true, mode: 0o755 });
    await listenOnSocket(api, config.socket);
    steps.defer(() => api.close());
  }
  await agent?.start();
  const alive = agent === undefined ? async () => {} : () => dataplane.alive();
  steps.defer(startWatchdog(watchdogInterval(process.env, process.pid), alive, notify, (error) => end.fatal(error)));
  log.info({ ...nodeInfo(config, dataplane, startedAt), driver: dataplane.driver() }, 'ready');
}

function createDataplane(config: Config, log: Logger, end: End): LinuxDataplane {
  return createLinuxDataplane({
    directory: config.namespace_directory,
    driver: config.nft_driver === 'auto' ? null : config.nft_driver,
    patterns: [...config.routers, ...(config.neutron ? NEUTRON_PATTERNS : [])],
    host: config.host,
    onWarning: (message, details) => log.warn(details, message),
    onFatal: (error) => end.fatal(error),
  });
}

function nodeInfo(config: Config, dataplane: LinuxDataplane, startedAt: string) {
  return {
    version: version(),
    name: config.node,
    driver: () => dataplane.driver(),
    startedAt,
    store: config.store,
    roles: config.roles,
  };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const stated = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return String(stated);
}
