import type { Kernel } from '../../../kernel/kernel.ts';
import type { Route, TargetFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { askTarget } from './answer.ts';
import { clientOf } from './client.ts';
import { readNeighbour, readRoute } from './routes.ts';

/** Looks for the target of a rule, and for the way back from it. `outside`: the interfaces that lead there. */
export async function examineTarget(
  kernel: Pick<Kernel, 'run'>,
  namespace: string,
  rule: Rule,
  outside: readonly string[],
): Promise<TargetFacts> {
  const { protocol, internal, internalPorts } = rule;
  const client = clientOf(rule);
  const [by = null] = outside;
  const arriving = await readRoute(kernel, namespace, { source: client, destination: internal, by });
  // Where it would not be forwarded for its source's sake, there may be a route nevertheless.
  const toTarget =
    'failure' in arriving
      ? await readRoute(kernel, namespace, { source: client, destination: internal, by: null })
      : arriving;
  const refusal = 'failure' in arriving && 'interface' in toTarget ? arriving.failure : null;
  const inner = interfaceOf(toTarget);
  const toClient = await readRoute(kernel, namespace, { source: internal, destination: client, by: inner });
  // The attempt comes first: it makes the router look for its neighbour.
  const answer = protocol === 'tcp' ? await askTarget(kernel, namespace, internal, internalPorts.first) : null;
  const neighbour = 'interface' in toTarget ? (toTarget.nextHop ?? internal) : internal;
  const state = inner === null ? null : await readNeighbour(kernel, namespace, neighbour, inner);
  return {
    toTarget,
    refusal,
    toClient,
    client,
    neighbour: state === null ? null : { address: neighbour, state },
    answer,
  };
}

function interfaceOf(route: Route): string | null {
  return 'interface' in route ? route.interface : null;
}
