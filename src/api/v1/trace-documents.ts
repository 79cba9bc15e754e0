import { type Forward, GATEWAY, printForwardSpec } from '../../model/forward.ts';
import type { Observation } from '../../model/observation.ts';
import { explain } from '../../program/explain.ts';
import type { RouterView } from '../../program/refusals.ts';
import type { Packet } from '../../program/trace.ts';
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

/** What the router does to the first packet of the flow. */
export function traceFlow(view: RouterView, { packet, sourcePort }: Flow, watched: Watched | null): TraceDocument {
  const { path, misses, nodes } = explain(view, packet);
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
    misses: misses.map(({ forward, refusals }) => ({ forward: printTraced(forward, view), refusals })),
    target: path && { address: path.target.address.text, port: path.target.port, masquerade: 'same_network' },
    reply: path && {
      protocol,
      source: path.reply.address.text,
      source_port: path.reply.port,
      destination: client,
      destination_port: sourcePort,
    },
    nodes,
    live: watched && {
      node: watched.node,
      timeout: watched.timeout,
      packet: watched.observation && printObservation(watched.observation, path),
    },
  };
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
