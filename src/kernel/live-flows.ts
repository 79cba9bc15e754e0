import { type Address, addressValue } from '../model/address.ts';
import type { AddressSpan } from '../model/cidr.ts';
import type { PortRange } from '../model/port-range.ts';
import { countFlows } from './ctnetlink.ts';
import { type RawFlow, readTranslatedFlows } from './translated-flows.ts';

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
  const find = indexOf(places);
  return readTranslatedFlows(fd, () => {
    const counts = places.map(() => 0);
    return {
      result: counts,
      onFlow(flow) {
        const index = find(flow);
        if (index !== undefined) counts[index] = (counts[index] ?? 0) + 1;
      },
    };
  });
}

interface Candidate {
  readonly index: number;
  readonly isOf: (flow: RawFlow) => boolean;
}

/** The place that a flow is of. Single ports are looked up; only ranges are gone through. */
function indexOf(places: readonly FlowPlace[]): (flow: RawFlow) => number | undefined {
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
  return (flow) => {
    const key = `${flow.protocol} ${flow.destination}`;
    const isPlace = ({ isOf }: Candidate) => isOf(flow);
    return (single.get(`${key} ${flow.port}`)?.find(isPlace) ?? wide.get(key)?.find(isPlace))?.index;
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
