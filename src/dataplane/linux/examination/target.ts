import type { Kernel } from '../../../kernel/kernel.ts';
import { type Address, addressOf, type Family, parseAddress } from '../../../model/address.ts';
import type { Route, TargetFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { askTarget } from './answer.ts';
import { readNeighbour, readRoute } from './routes.ts';

/** Stands for any client outside: documentation addresses (RFC 5737, RFC 3849), to which only a default route leads. */
const ANYBODY: Readonly<Record<Family, Address>> = { 4: parseAddress('192.0.2.1'), 6: parseAddress('2001:db8::1') };

/** Looks for the target of a rule, and for the way back from it. `outside`: the interfaces that lead there. */
export async function examineTarget(
  kernel: Pick<Kernel, 'run'>,
  namespace: string,
  { protocol, internal, internalPorts, sources }: Rule,
  outside: readonly string[],
): Promise<TargetFacts> {
  const client = clientOf(sources) ?? ANYBODY[internal.family];
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

/** The second address of the first network, since the first may be the network's own. */
function clientOf([network]: Rule['sources']): Address | null {
  if (network === undefined) return null;
  return addressOf(network.family, network.first === network.last ? network.first : network.first + 1n);
}
