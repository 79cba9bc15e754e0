import { Counter, Histogram, Registry as PrometheusRegistry } from 'prom-client';
import { createForwardMetrics } from './forward-metrics.ts';
import type { MetricsDeps } from './metrics-deps.ts';
import type { Observation } from './observations.ts';
import { createProcessMetrics } from './process-metrics.ts';
import { createStateMetrics } from './state-metrics.ts';

/** What Prometheus asks for (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export interface Metrics {
  readonly contentType: string;
  /** As of this moment. */
  print(): Promise<string>;
  /** `route`: as it was declared, so that there are only so many. */
  countRequest(request: {
    readonly method: string;
    readonly route: string;
    readonly status: string;
    readonly seconds: number;
  }): void;
}

/** In seconds. A change of one forward takes a millisecond or less; a disk that is busy, tens of them. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new PrometheusRegistry();
  const registers = [registry];
  const collectors = [
    createStateMetrics(registers, deps),
    createForwardMetrics(registers, deps),
    createProcessMetrics(registers),
  ];
  const requests = new Histogram({
    registers,
    name: 'hatoba_api_request_seconds',
    help: 'Requests of the API by route, and how long they took, with what they waited for',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
  });
  deps.observations?.follow(createObserver(registers));
  return {
    contentType: registry.contentType,
    async print() {
      for (const collect of collectors) await collect();
      return registry.metrics();
    },
    countRequest: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
  };
}

function createObserver(registers: PrometheusRegistry[]): (observation: Observation) => void {
  const passes = new Histogram({
    registers,
    name: 'hatoba_apply_seconds',
    help: 'How long attempts to bring a router to what is wanted took, failed ones included',
    buckets: BUCKETS,
  });
  const failures = new Counter({
    registers,
    name: 'hatoba_apply_failures_total',
    help: 'How often a router could not be brought to what is wanted; each is tried again',
  });
  const repairs = new Counter({
    registers,
    name: 'hatoba_drift_repaired_total',
    help: 'Rules that others had changed in the kernel and that were put right',
  });
  const commits = new Histogram({
    registers,
    name: 'hatoba_store_commit_seconds',
    help: 'How long commits to the store took',
    labelNames: ['result'],
    buckets: BUCKETS,
  });
  return (observation) => {
    switch (observation.kind) {
      case 'pass':
        passes.observe(observation.seconds);
        return;
      case 'failure':
        failures.inc();
        return;
      case 'repair':
        repairs.inc(observation.corrections);
        return;
      case 'commit':
        commits.observe({ result: observation.failed ? 'failed' : 'done' }, observation.seconds);
        return;
    }
  };
}
