import type { ForwardId } from '../model/ids.ts';
import type { InstanceFacts } from '../program/facts.ts';
import type { LocalNode } from './local-node.ts';
import { shareWork } from './shared-work.ts';

/** Each costs a few processes. */
const EXAMINATIONS_AT_ONCE = 8;

/** Each lists the flows of a namespace on the thread that also makes all changes. */
const LISTS_OF_FLOWS_AT_ONCE = 1;

/** The node, for all callers together: what costs much there is done once for those who ask at once, and little at a time. */
export function shareLocalNode(local: LocalNode): LocalNode {
  const examinations = shareWork<readonly InstanceFacts[]>(EXAMINATIONS_AT_ONCE);
  const flows = shareWork<ReadonlyMap<ForwardId, number>>(LISTS_OF_FLOWS_AT_ONCE);

  return {
    ...local,

    async examineRouter(router, forward, signal) {
      const examine = () => local.examineRouter(router, forward);
      return (await examinations.ask(`${router}/${forward ?? ''}`, examine, signal)) ?? [];
    },

    async liveFlows(router, forward) {
      const list = () => local.liveFlows(router, forward);
      return (await flows.ask(`${router}/${forward ?? ''}`, list)) ?? new Map();
    },
  };
}
