import type { Address } from '../model/address.ts';
import { type Forward, isExpired } from '../model/forward.ts';
import { forwardStatus, type RouterStatus } from '../model/status.ts';
import {
  describeRefusal,
  isAboutPacket,
  type Refusal,
  type RefusalReason,
  type RouterView,
  reasonsOf,
} from './refusals.ts';
import { resolve } from './resolve.ts';
import type { Program } from './rule.ts';
import { type Packet, trace } from './trace.ts';

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** The way of a flow that a forward takes. */
export interface Path {
  readonly forward: Forward;
  /** Where its packets leave to. */
  readonly target: Endpoint;
  /** Where the client sees the answers come from. */
  readonly reply: Endpoint;
}

/** A forward that does not take the packet, and everything that keeps it from that. */
export interface Miss {
  readonly forward: Forward;
  readonly refusals: readonly Refusal[];
}

export interface NodePart {
  readonly node: string;
  /** Whether what the explanation says is what the node's kernel does. */
  readonly applied: boolean;
  readonly revision: number;
  readonly at: string;
  /** Why it is not applied. */
  readonly message: string | null;
}

export interface Explanation {
  /** Null: no forward takes it, and it goes on as it is. */
  readonly path: Path | null;
  /** The nearest first; beside a path only those that would take this very packet if nothing were wrong with them. */
  readonly misses: readonly Miss[];
  readonly nodes: readonly NodePart[];
}

/** Further ones say nothing that these do not. */
const MOST_MISSES = 5;

/** What the router does to the first packet of a flow, and why. Its decision is that of `trace` on what `resolve` gives. */
export function explain(view: RouterView, packet: Packet): Explanation {
  const { program } = resolve(view.forwards.values(), view.gateways, {}, view.now);
  const { rule, destination, port } = trace(program, packet);
  const forward = rule === null ? undefined : view.forwards.get(rule.forward);
  const others = Array.from(view.forwards.values(), (other) => ({
    forward: other,
    reasons: reasonsOf(other, packet, view, program),
  })).filter(({ reasons }) => reasons.length > 0);
  const missesAmong = (candidates: readonly Candidate[]) => nearest(candidates, view, packet, program);
  if (forward === undefined) return { path: null, misses: missesAmong(others), nodes: nodesWithout(view) };
  const reply = { address: packet.destination, port: packet.port };
  return {
    path: { forward, target: { address: destination, port }, reply },
    misses: missesAmong(others.filter((other) => differences(other) === 0)),
    nodes: nodesWith(forward, packet, view),
  };
}

interface Candidate {
  readonly forward: Forward;
  readonly reasons: readonly RefusalReason[];
}

function nearest(
  candidates: readonly Candidate[],
  view: RouterView,
  packet: Packet,
  program: Program,
): readonly Miss[] {
  return candidates
    .toSorted((a, b) => compareNearness(a, b, packet))
    .slice(0, MOST_MISSES)
    .map(({ forward, reasons }) => ({
      forward,
      refusals: reasons.map((reason) => ({
        reason,
        message: describeRefusal(reason, forward, packet, view, program),
      })),
    }));
}

/** By how much of the packet is wrong, then by how far the port is away. */
function compareNearness(a: Candidate, b: Candidate, packet: Packet): number {
  return (
    differences(a) - differences(b) ||
    Number(a.reasons.includes('port')) - Number(b.reasons.includes('port')) ||
    Number(a.reasons.includes('address')) - Number(b.reasons.includes('address')) ||
    portDistance(a, packet) - portDistance(b, packet) ||
    a.reasons.length - b.reasons.length ||
    (a.forward.id < b.forward.id ? -1 : 1)
  );
}

function differences({ reasons }: Candidate): number {
  return reasons.filter(isAboutPacket).length;
}

function portDistance({ forward: { externalPorts } }: Candidate, { port }: Packet): number {
  return Math.max(0, externalPorts.first - port, port - externalPorts.last);
}

function nodesWith(forward: Forward, { destination }: Packet, { statuses, now }: RouterView): readonly NodePart[] {
  return forwardStatus(forward, statuses, now).nodes.map(({ node, state, external_address, revision, at, message }) => {
    const isElsewhere = state === 'active' && external_address !== destination.text;
    const applied = state === 'active' && !isElsewhere;
    const elsewhere = `there the router has the address ${external_address}`;
    return { node, applied, revision, at, message: isElsewhere ? elsewhere : message };
  });
}

/** A node that is behind may still have a forward that is not wanted any more. */
function nodesWithout({ forwards, statuses, now }: RouterView): readonly NodePart[] {
  const all = [...forwards.values()];
  const newest = all.reduce((latest, { revision }) => Math.max(latest, revision), 0);
  const isBehind = ({ revision, at }: RouterStatus) =>
    revision < newest || all.some((forward) => isExpired(forward, now) && !isExpired(forward, at));
  return statuses.map((status) => {
    const { node, revision, at, error } = status;
    const message = error ?? (isBehind(status) ? 'the node has not applied every change yet' : null);
    return { node, applied: message === null, revision, at, message };
  });
}
