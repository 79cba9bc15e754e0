import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import { type PortRange, portCount } from '../../model/port-range.ts';
import type { NodeCounters } from '../local-node.ts';
import { statusNow } from '../v1/forward-documents.ts';
import { printRange } from './collisions.ts';
import type { NeutronDeps } from './deps.ts';
import { isExtra } from './extras.ts';
import { printExtras, printForwarding } from './forwarding-documents.ts';
import { readFields } from './list-query.ts';
import type { Listed } from './listing.ts';
import { type NeutronRequest, urlOf } from './serving.ts';
import type { GatewayIp, Inquiry } from './topology.ts';

/** Whether the request wants to be told what only hatoba knows. */
export function wantsExtras(request: NeutronRequest): boolean {
  const header = String(request.headers['x-hatoba-extras']).toLowerCase();
  return header === 'true' || readFields(urlOf(request).search).some(isExtra);
}

/** The forwards of one floating IP, ready to be listed or answered. */
export async function listForwardings(
  { topology, singlePortRanges, localOf }: NeutronDeps,
  inquiry: Inquiry,
  gateway: GatewayIp,
  forwards: readonly Forward[],
  withExtras: boolean,
): Promise<readonly Listed[]> {
  const portIds = await topology.portIds(inquiry, forwards);
  const [only, ...others] = forwards;
  const asked = only !== undefined && others.length === 0 ? only.id : null;
  const counters = withExtras ? byForward(await localOf(inquiry.caller).counters(gateway.router, asked)) : new Map();
  return forwards.map((forward) => {
    const ids = portIds.get(forward.id) ?? [];
    const [portId = null] = ids;
    const all = printForwarding(forward, portId, true);
    return {
      id: forward.id,
      attributes: { ...all, internal_port_id: ids, external_port_range: spellings(forward.externalPorts) },
      print: () => ({
        ...(singlePortRanges ? all : printForwarding(forward, portId, false)),
        ...(withExtras
          ? printExtras(forward, statusNow(forward, inquiry.registry), counters.get(forward.id) ?? null)
          : {}),
      }),
    };
  });
}

/** As which it can be asked for: `80:90`, or `80:80` and `80`. */
function spellings(ports: PortRange): readonly string[] {
  return portCount(ports) === 1 ? [printRange(ports), String(ports.first)] : [printRange(ports)];
}

function byForward(counters: readonly NodeCounters[]): ReadonlyMap<ForwardId, NodeCounters> {
  return new Map(counters.map((each) => [each.forward, each]));
}
