import type { Kernel } from '../../kernel/kernel.ts';
import { hatobaError } from '../../model/errors.ts';
import type { Dataplane } from '../dataplane.ts';
import type { Backend, BackendName } from './backend.ts';
import { flowPlaceOf } from './live/flow-places.ts';
import { createQuota } from './live/quota.ts';
import { watchPacket } from './live/watch-packet.ts';

interface Options {
  readonly kernel: Kernel;
  /** An instance that is attached. Error: `namespace_gone`. */
  readonly known: (id: string) => {
    readonly name: BackendName;
    readonly backends: Readonly<Record<BackendName, Backend>>;
    /** Aborted when it is let go of. */
    readonly gone: AbortController;
  };
}

/** Each is a table that every packet of its router passes. */
const MOST_WATCHES = 4;

/** What only looks. */
export function createReadings({
  kernel,
  known,
}: Options): Pick<Dataplane, 'counters' | 'liveFlows' | 'flowUsage' | 'observe'> {
  const watches = createQuota(MOST_WATCHES);
  return {
    async counters(id, forward) {
      const { backends, name } = known(id);
      return backends[name].counters(forward);
    },

    async liveFlows(id, program) {
      known(id);
      const rules = [...program.values()];
      const counts = await kernel.countFlows(id, rules.map(flowPlaceOf));
      return new Map(
        rules.map(({ forward }, index) => [forward, counts[index] ?? 0] as const).filter(([, count]) => count > 0),
      );
    },

    async flowUsage(id) {
      known(id);
      return kernel.flowUsage(id);
    },

    async observe(id, flow, { seconds, signal }) {
      const { gone } = known(id);
      const patience = { seconds, signal: AbortSignal.any([signal, gone.signal]) };
      const observation = await watches.run(id, () => watchPacket(kernel, id, flow, patience));
      if (gone.signal.aborted) throw hatobaError('namespace_gone', { namespace: id });
      return observation;
    },
  };
}
