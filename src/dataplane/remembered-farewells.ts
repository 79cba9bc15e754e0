import type { Rule } from '../program/rule.ts';
import type { Dataplane, Farewell } from './dataplane.ts';
import type { FarewellMemory } from './farewell-memory.ts';

/**
 * The same data plane, which makes up for an earlier one that was killed when the kernel had lost a rule already and
 * its flows had not ended. `onError`: it could not be remembered or recalled, for which nothing waits.
 */
export function rememberFarewells(
  dataplane: Dataplane,
  memory: FarewellMemory,
  onError: (id: string, error: unknown) => void,
): Dataplane {
  return {
    ...dataplane,
    async synchronise(id, program, farewell = { draining: new Set(), gone: [] }) {
      const earlier = await attempt(id, () => memory.recall(id), []);
      const leaving = await remember(id, farewell);
      const gone = [...earlier, ...farewell.gone];
      const correction = await dataplane.synchronise(id, program, { ...farewell, gone });
      if (earlier.length + leaving.length > 0) await forget(id);
      return correction;
    },

    async apply(id, change, draining = new Set()) {
      const leaving = await remember(id, { draining, gone: change.remove });
      await dataplane.apply(id, change, draining);
      if (leaving.length > 0) await forget(id);
    },
  };

  /** Gives what there was to remember. */
  async function remember(id: string, { draining, gone }: Farewell): Promise<readonly Rule[]> {
    const leaving = gone.filter(({ forward }) => !draining.has(forward));
    if (leaving.length > 0) await attempt(id, () => memory.remember(id, leaving), undefined);
    return leaving;
  }

  function forget(id: string): Promise<void> {
    return attempt(id, () => memory.forget(id), undefined);
  }

  async function attempt<Value>(id: string, work: () => Promise<Value>, otherwise: Value): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      onError(id, error);
      return otherwise;
    }
  }
}
