import { Counter, Gauge, type Registry as PrometheusRegistry } from 'prom-client';
import { HatobaError } from '../../model/errors.ts';
import type { RouterId } from '../../model/router.ts';
import type { NodeCounters } from '../local-node.ts';
import type { MetricsDeps } from './metrics-deps.ts';

const LABELS = ['forward', 'name', 'router'] as const;

/**
 * What has gone through forwards on this node, of the oldest `forwardMetrics` ones: each is a few series to whoever
 * keeps them. Gives what brings it up to date.
 */
export function createForwardMetrics(
  registers: PrometheusRegistry[],
  { registry, local, forwardMetrics = 0 }: MetricsDeps,
): () => Promise<void> {
  const connections = new Counter({
    registers,
    name: 'hatoba_forward_connections_total',
    help: 'Connections that were opened through a forward',
    labelNames: LABELS,
  });
  const packets = new Counter({
    registers,
    name: 'hatoba_forward_packets_total',
    help: 'Packets through a forward, with accounting',
    labelNames: [...LABELS, 'direction'],
  });
  const bytes = new Counter({
    registers,
    name: 'hatoba_forward_bytes_total',
    help: 'Bytes through a forward, with accounting',
    labelNames: [...LABELS, 'direction'],
  });
  const omitted = new Gauge({
    registers,
    name: 'hatoba_forward_metrics_omitted',
    help: 'Forwards of which nothing is told here, since there are too many',
  });

  const unread = new Counter({
    registers,
    name: 'hatoba_forward_metrics_unread_total',
    help: 'How often the forwards of a router could not be read for these metrics',
  });

  return async () => {
    const all = registry.forwards.list();
    const told = new Map(all.slice(0, forwardMetrics).map((forward) => [forward.id, forward]));
    omitted.set(all.length - told.size);
    const routers = new Set(Array.from(told.values(), ({ router }) => router));
    const read: NodeCounters[][] = [];
    // One after the other: for some, two programs are run.
    for (const router of routers) read.push([...(await countersOf(router))]);
    for (const counter of [connections, packets, bytes]) counter.reset();
    for (const counted of read.flat()) {
      const forward = told.get(counted.forward);
      if (forward === undefined) continue;
      set(counted, { forward: forward.id, name: forward.name ?? '', router: forward.router });
    }
  };

  /** One router that cannot be read leaves the others to be told of; what is wrong there, its status says. */
  async function countersOf(router: RouterId): Promise<readonly NodeCounters[]> {
    try {
      return await local.counters(router, null);
    } catch (error) {
      if (!(error instanceof HatobaError)) throw error;
      unread.inc();
      return [];
    }
  }

  function set({ connections: opened, in: into, out }: NodeCounters, labels: Record<(typeof LABELS)[number], string>) {
    connections.inc(labels, opened);
    for (const [direction, traffic] of [
      ['in', into],
      ['out', out],
    ] as const) {
      if (traffic === null) continue;
      packets.inc({ ...labels, direction }, traffic.packets);
      bytes.inc({ ...labels, direction }, traffic.bytes);
    }
  }
}
