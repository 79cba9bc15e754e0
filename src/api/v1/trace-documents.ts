import { type Forward, type ForwardSpec, GATEWAY, parseForwardSpec, printForwardSpec } from '../../model/forward.ts';
import type { Observation } from '../../model/observation.ts';
import type { RouterId } from '../../model/router.ts';
import { explain } from '../../program/explain.ts';
import type { RouterView } from '../../program/refusals.ts';
import type { Packet } from '../../program/trace.ts';
import type { Forwards } from '../../registry/registry.ts';
import { printObservation } from './live-trace-documents.ts';
import { printGateways } from './router-documents.ts';
import type { TraceDocument } from './trace-schemas.ts';

export interface Flow {
  readonly packet: Packet;
  /** The client's own port, where it was named; no forward depends on it. */
  readonly sourcePort: number | null;
}

/** What the kernel of a node was seen to do with a packet of the flow, if it was looked at. */
export interface Watched {
  readonly node: string;
  readonly timeout: number;
  readonly observation: Observation | null;
}

/** What is wanted and known of a router, and whether there are forwards of which no more than their places may be told. */
export type TracedView = RouterView & Pick<Forwards, 'isTakenUnseen'>;

/** What the router does to the first packet of the flow. */
export function traceFlow(view: TracedView, { packet, sourcePort }: Flow, watched: Watched | null): TraceDocument {
  const { path, misses, nodes } = explain(view, packet);
  const isOthers = path === null && view.isTakenUnseen(placeFor(packet, view.router));
  const { protocol } = packet;
  const [client, outside] = [packet.source.text, packet.destination.text];
  return {
    router: view.router,
    gateways: printGateways(view.gateways),
    packet: {
      protocol,
      source: client,
      source_port: sourcePort,
      destination: outside,
      destination_port: packet.port,
    },
    forward: path && printTraced(path.forward, view),
    another_project: isOthers,
    misses: misses.map(({ forward, refusals }) => ({ forward: printTraced(forward, view), refusals })),
    target: path && { address: path.target.address.text, port: path.target.port, masquerade: 'same_interface' },
    reply: path && {
      protocol,
      source: path.reply.address.text,
      source_port: path.reply.port,
      destination: client,
      destination_port: sourcePort,
    },
    nodes: isOthers ? [] : nodes,
    live: watched && {
      node: watched.node,
      timeout: watched.timeout,
      packet: watched.observation && printObservation(watched.observation, path),
    },
  };
}

/** What a forward would have that takes this packet and no other. */
function placeFor({ protocol, source, destination, port }: Packet, router: RouterId): ForwardSpec {
  return parseForwardSpec({
    router,
    protocol,
    external_address: destination.text,
    external_port: port,
    internal_address: destination.text,
    sources: [source.text],
  });
}

function printTraced(forward: Forward, { gateways }: RouterView): NonNullable<TraceDocument['forward']> {
  const { name, protocol, external_address, external_port, internal_address, internal_port, sources } =
    printForwardSpec(forward);
  const gateway = gateways[forward.internalAddress.family]?.text ?? GATEWAY;
  return {
    id: forward.id,
    name,
    protocol,
    external_address: external_address === GATEWAY ? gateway : external_address,
    external_port,
    internal_address,
    internal_port,
    sources,
    revision: forward.revision,
  };
}
