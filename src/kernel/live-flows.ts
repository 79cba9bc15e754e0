import { type Address, addressValue } from '../model/address.ts';
import type { AddressSpan } from '../model/cidr.ts';
import type { PortRange } from '../model/port-range.ts';
import { countFlows, type RawFlow, readTranslatedFlows } from './ctnetlink.ts';

/** Flows that came to these ports of the destination and are led to the target. */
export interface FlowPlace {
  readonly protocol: number;
  readonly destination: Address;
  readonly ports: PortRange;
  /** Of whom; empty: of anyone. */
  readonly sources: readonly AddressSpan[];
  readonly target: Address;
  readonly targetPorts: PortRange;
}

/**
 * How many flows each place has now in the namespace of the netfilter socket, in their order. TCP connections that have
 * ended do not count, though connection tracking keeps them for some time. No flow belongs to two places. Where there are
 * no flows it costs one look.
 */
export function countLiveFlows(fd: number, places: readonly FlowPlace[]): readonly number[] {
  if (places.length === 0 || countFlows(fd) === 0) return places.map(() => 0);
  const candidates = indexOf(places);
  return readTranslatedFlows(fd, () => {
    const counts = places.map(() => 0);
    return {
      result: counts,
      onFlow(flow) {
        const found = candidates(flow).find(({ isOf }) => isOf(flow));
        if (found !== undefined) counts[found.index] = (counts[found.index] ?? 0) + 1;
      },
    };
  });
}

interface Candidate {
  readonly index: number;
  readonly isOf: (flow: RawFlow) => boolean;
}

/** Single ports are looked up; only ranges are gone through. */
function indexOf(places: readonly FlowPlace[]): (flow: RawFlow) => readonly Candidate[] {
  const [single, wide] = [new Map<string, Candidate[]>(), new Map<string, Candidate[]>()];
  for (const [index, place] of places.entries()) {
    const key = `${place.protocol} ${rawText(place.destination)}`;
    const { first, last } = place.ports;
    const [lists, name] = first === last ? [single, `${key} ${first}`] : [wide, key];
    const list = lists.get(name);
    const candidate = { index, isOf: membership(place) };
    if (list === undefined) lists.set(name, [candidate]);
    else list.push(candidate);
  }
  return ({ protocol, destination, port }) => {
    const key = `${protocol} ${destination}`;
    return [...(single.get(`${key} ${port}`) ?? []), ...(wide.get(key) ?? [])];
  };
}

function membership({ ports, sources, target, targetPorts }: FlowPlace): (flow: RawFlow) => boolean {
  const wanted = rawText(target);
  return (flow) =>
    flow.target === wanted &&
    ports.first <= flow.port &&
    flow.port <= ports.last &&
    targetPorts.first <= flow.targetPort &&
    flow.targetPort <= targetPorts.last &&
    (sources.length === 0 || sources.some((span) => contains(span, flow.source)));
}

function contains({ family, first, last }: AddressSpan, source: string): boolean {
  if (source.length !== (family === 4 ? 8 : 32)) return false;
  const value = BigInt(`0x${source}`);
  return first <= value && value <= last;
}

/** As `RawFlow` has addresses. */
function rawText(address: Address): string {
  return addressValue(address)
    .toString(16)
    .padStart(address.family === 4 ? 8 : 32, '0');
}
