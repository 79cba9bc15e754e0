import { Gauge, type Registry as PrometheusRegistry } from 'prom-client';
import { FORWARD_STATES, forwardStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import type { MetricsDeps } from './metrics-deps.ts';

/** How everything stands; gives what brings it up to date. */
export function createStateMetrics(
  registers: PrometheusRegistry[],
  { registry, node, local, streams, storeTrouble }: MetricsDeps,
): () => Promise<void> {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ registers, name, help, labelNames });
  const build = gauge('hatoba_build_info', 'Always 1', ['version', 'node', 'driver']);
  const revision = gauge('hatoba_store_revision', 'The newest revision of the store that is known');
  const available = gauge(
    'hatoba_store_available',
    'Whether changes are accepted: 0 while the database is not in its place',
  );
  const forwards = gauge('hatoba_forwards', 'Forwards by state', ['state']);
  const routers = gauge('hatoba_routers', 'Routers that this node has');
  const instances = gauge('hatoba_instances', 'Namespaces on this node that are routers');
  const broken = gauge('hatoba_routers_in_error', 'Routers that this node cannot bring to what is wanted');
  const orphaned = gauge(
    'hatoba_orphaned_forwards',
    'Forwards in the kernel of this node that the store does not know',
  );
  const behind = gauge('hatoba_routers_behind', 'Routers with forwards that this node has not applied yet');
  const flows = gauge(
    'hatoba_connection_tracking_entries',
    'Entries of connection tracking in all routers of this node',
  );
  const followers = gauge('hatoba_event_streams', 'Streams of events that are open');
  const lag = gauge('hatoba_event_lag_revisions', 'Changes that the slowest stream of events has yet to take');
  const stalled = gauge(
    'hatoba_event_lag_seconds',
    'How long the slowest stream of events has not taken what is there for it',
  );
  const limit = gauge('hatoba_connection_tracking_limit', 'How many entries one router can have');

  return async () => {
    build.set({ version: node.version, node: node.name, driver: node.driver ?? '' }, 1);
    const own = registry.statuses.ofNode(node.name);
    revision.set(registry.forwards.revision());
    available.set((await storeTrouble()) === null ? 1 : 0);
    for (const [state, count] of countStates(registry)) forwards.set({ state }, count);
    routers.set(own.length);
    instances.set(own.reduce((sum, status) => sum + status.instances.length, 0));
    broken.set(own.filter(({ error }) => error !== null).length);
    orphaned.set(own.reduce((sum, status) => sum + (status.orphaned ?? 0), 0));
    behind.set(own.filter((status) => isBehind(status, registry)).length);
    const { streams: open, revisions, seconds } = streams.lag(registry.forwards.revision());
    followers.set(open);
    lag.set(revisions);
    stalled.set(seconds);
    const usage = await local.flowUsage();
    flows.set(usage.reduce((sum, { entries }) => sum + entries, 0));
    const [first] = usage;
    if (first !== undefined && first.limit !== null) limit.set(first.limit);
  };
}

function countStates({ forwards, statuses }: Registry): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(FORWARD_STATES.map((state) => [state, 0]));
  const now = printTime(Date.now());
  for (const forward of forwards.list()) {
    const { state } = forwardStatus(forward, statuses.of(forward.router), now);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

function isBehind({ router, revision }: { readonly router: string; readonly revision: number }, registry: Registry) {
  for (const forward of registry.forwards.ofRouter(router).values()) if (forward.revision > revision) return true;
  return false;
}
