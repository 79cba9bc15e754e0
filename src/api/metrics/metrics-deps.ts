import type { ApiDeps } from '../deps.ts';
import type { EventStreams } from '../event-streams.ts';
import type { LocalNode } from '../local-node.ts';

/** What metrics are made of. */
export interface MetricsDeps extends Pick<ApiDeps, 'registry' | 'node' | 'observations' | 'forwardMetrics'> {
  readonly local: LocalNode;
  readonly storeTrouble: () => Promise<string | null>;
  readonly streams: EventStreams;
}
