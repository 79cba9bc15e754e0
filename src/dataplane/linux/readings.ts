import { missingCapabilities } from '../../kernel/capabilities.ts';
import type { Kernel, Links } from '../../kernel/kernel.ts';
import { hatobaError } from '../../model/errors.ts';
import type { Dataplane, Instance } from '../dataplane.ts';
import type { Backend, BackendName } from './backend.ts';
import { examine } from './examination/examine.ts';
import { flowPlaceOf } from './live/flow-places.ts';
import { createQuota } from './live/quota.ts';
import { watchPacket } from './live/watch-packet.ts';
import type { RouterSides } from './namespaces.ts';

interface Options {
  readonly kernel: Kernel;
  /** An instance that is attached. Error: `namespace_gone`. */
  readonly known: (id: string) => {
    readonly name: BackendName;
    readonly backends: Readonly<Record<BackendName, Backend>>;
    readonly sides: RouterSides;
    readonly links: Links;
    readonly instance: Instance | null;
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
}: Options): Pick<Dataplane, 'counters' | 'liveFlows' | 'flowUsage' | 'examine' | 'examineNode' | 'observe'> {
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

    async examine(id, rules, probe) {
      const { backends, name: backend, sides, links, instance } = known(id);
      const [only, ...others] = rules;
      const counters = await backends[backend].counters(only === undefined || others.length > 0 ? null : only.forward);
      return examine(kernel, { id, backend, sides, links, gateways: instance?.gateways ?? {}, counters }, rules, probe);
    },

    examineNode: async () => ({ missingCapabilities: missingCapabilities() }),

    async observe(id, flow, { seconds, signal }) {
      const { gone } = known(id);
      const patience = { seconds, signal: AbortSignal.any([signal, gone.signal]) };
      const observation = await watches.run(id, () => watchPacket(kernel, id, flow, patience));
      if (gone.signal.aborted) throw hatobaError('namespace_gone', { namespace: id });
      return observation;
    },
  };
}
