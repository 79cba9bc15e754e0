import type { ForwardId } from '../../../model/ids.ts';
import { HOST_ROUTER } from '../../../model/router.ts';
import type { Rule } from '../../../program/rule.ts';
import type { Dataplane } from '../../dataplane.ts';
import { createLinuxDataplane, type LinuxOptions } from '../linux-dataplane.ts';
import { patternOf } from '../namespaces.ts';
import { createOpening } from './opening.ts';

/** The Linux data plane, which also opens the FORWARD policy of iptables where the configuration says so. */
export function createOpenedDataplane(options: LinuxOptions): Dataplane {
  const { patterns, host } = options;
  const opening = createOpening(options);
  const inner = createLinuxDataplane(options);
  /** What the last call left in each namespace that is opened. */
  const programs = new Map<string, Map<ForwardId, Rule>>();
  return {
    ...inner,
    start: (onEvent) =>
      inner.start((event) => {
        if (event.kind === 'vanished') forget(event.id);
        if (event.kind === 'others') opening.repeat(event.id);
        onEvent(event);
      }),
    async synchronise(id, program, farewell) {
      const correction = await inner.synchronise(id, program, farewell);
      if (isOpened(id) === true) programs.set(id, new Map(program));
      await bring(id);
      return correction;
    },
    async apply(id, change, draining) {
      await inner.apply(id, change, draining);
      const program = programs.get(id);
      for (const { forward } of change.remove) program?.delete(forward);
      for (const rule of change.add) program?.set(rule.forward, rule);
      if (program !== undefined) await bring(id);
    },
    async clean(id) {
      programs.delete(id);
      await bring(id);
      await inner.clean(id);
    },
  };

  /** `undefined`: the configuration says nothing of it. */
  function isOpened(id: string): boolean | undefined {
    return (id === HOST_ROUTER ? host : patternOf(id, patterns))?.openForwardPolicy;
  }

  async function bring(id: string): Promise<void> {
    const program = programs.get(id);
    if (isOpened(id) !== undefined) await opening.bring(id, program === undefined ? null : [...program.values()]);
  }

  function forget(id: string): void {
    programs.delete(id);
    opening.forget(id);
  }
}
