import type { Trace } from '../../client/operations.ts';
import { printEndpoint } from '../../model/address.ts';
import { nameForward } from '../forwards/report.ts';

type TracedForward = NonNullable<Trace['forward']>;

/** The way of the packet for people: numbered steps, and indented below a step what belongs to it. */
export function traceLines(traced: Trace): readonly string[] {
  const way = [arrival(traced), taking(traced), ...leaving(traced)];
  // What is not to be seen is in kernels, or not, without a word.
  const steps = traced.another_project ? way : [...way, kernels(traced)];
  return steps.flatMap(([first, ...others], index) => [
    `${index + 1}. ${first}`,
    ...others.map((line) => `   ${line}`),
  ]);
}

/** One or more sentences. */
type Step = readonly string[];

function arrival({ router, packet }: Trace): Step {
  const { protocol, source, source_port } = packet;
  const from = source_port === null ? source : printEndpoint(source, source_port);
  return [`A ${protocol} packet from ${from} comes to router ${router} for ${destinationOf(packet)}.`];
}

function taking({ forward, another_project, misses, packet, gateways }: Trace): Step {
  const others = misses.map(({ forward: other, refusals }) => {
    return `Forward ${describe(other)} does not take it: ${refusals.map(({ message }) => message).join('; ')}.`;
  });
  if (forward !== null) return [`Forward ${describe(forward)} takes it.`, ...others];
  if (another_project) return ['A forward of another project has that place; more of it is not to be seen.', ...others];
  const why = misses.length === 0 ? ', since the router has none' : '';
  const isForRouter = gateways.includes(packet.destination);
  const where = isForRouter ? 'it is for the router itself' : `it goes on to ${destinationOf(packet)} as it is`;
  return [`No forward takes it${why}: ${where}.`, ...others];
}

function leaving({ packet, target, reply }: Trace): readonly Step[] {
  if (target === null || reply === null) return [];
  const inside = printEndpoint(target.address, target.port);
  return [
    [
      `It leaves to ${inside}, from ${packet.source} as before.`,
      "If it came in by the inside interface by which it leaves, it leaves from the router's address instead, so that the answer comes back this way.",
    ],
    [
      `The answer comes from ${inside}; the client sees it come from ${printEndpoint(reply.source, reply.source_port)}.`,
    ],
  ];
}

function kernels({ nodes, forward }: Trace): Step {
  if (nodes.length === 0) return ['No node has the router yet, so nothing of this is in a kernel.'];
  return nodes.map(({ node, applied, revision, message }) => {
    const says = forward === null ? 'has nothing else' : 'has it so';
    const denies = forward === null ? 'may have something else' : 'does not have it so';
    const where = `Node ${node} ${applied ? says : denies} in its kernel, at revision ${revision}`;
    return message === null ? `${where}.` : `${where}: ${message}.`;
  });
}

function describe(forward: TracedForward): string {
  const external = printEndpoint(forward.external_address, forward.external_port);
  const internal = printEndpoint(forward.internal_address, forward.internal_port);
  return `${nameForward(forward)} ${external}/${forward.protocol} -> ${internal}`;
}

function destinationOf({ destination, destination_port }: Trace['packet']): string {
  return printEndpoint(destination, destination_port);
}
