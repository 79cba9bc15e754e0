import type { Address } from '../../model/address.ts';
import type { AddressSpan } from '../../model/cidr.ts';
import type { PortRange } from '../../model/port-range.ts';
import { countFlows } from './ctnetlink.ts';
import { type AboutFlows, type Flow, indexByFlow, rawAddress, spanContains } from './flow.ts';
import { readTranslatedFlows } from './translated-flows.ts';

/** Flows that came to these ports of the destination and are led to the target. */
export interface FlowPlace extends AboutFlows {
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

function indexOf(places: readonly FlowPlace[]): (flow: Flow) => number | undefined {
  const find = indexByFlow(places.map((place, index) => ({ ...place, index, isOf: membership(place) })));
  return (flow) => find(flow, ({ isOf }) => isOf(flow))?.index;
}

/** Whether flows to the ports of this place are led as it says. */
function membership({ sources, target, targetPorts }: FlowPlace): (flow: Flow) => boolean {
  const wanted = rawAddress(target);
  return (flow) =>
    flow.target === wanted &&
    targetPorts.first <= flow.targetPort &&
    flow.targetPort <= targetPorts.last &&
    (sources.length === 0 || sources.some((span) => spanContains(span, flow.source)));
}
