import type { Kernel } from '../../../kernel/kernel.ts';
import type { TargetFacts, WayFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { askTarget } from './answer.ts';
import { readNeighbour } from './routes.ts';

/** Asks the target of a rule, and looks for the neighbour on the way to it. */
export async function examineTarget(
  kernel: Pick<Kernel, 'run'>,
  namespace: string,
  { protocol, internal, internalPorts }: Rule,
  { toTarget, isLocal }: WayFacts,
): Promise<TargetFacts> {
  // The attempt comes first: it makes the router look for its neighbour.
  const answer = protocol === 'tcp' ? await askTarget(kernel, namespace, internal, internalPorts.first) : null;
  if (isLocal || 'failure' in toTarget) return { neighbour: null, answer };
  const address = toTarget.nextHop ?? internal;
  const state = await readNeighbour(kernel, namespace, address, toTarget.interface);
  return { neighbour: state === null ? null : { address, state }, answer };
}
