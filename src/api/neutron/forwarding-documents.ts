import type { Forward } from '../../model/forward.ts';
import { type PortRange, portCount } from '../../model/port-range.ts';
import type { ForwardStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { NodeCounters } from '../local-node.ts';
import { printRange } from './collisions.ts';
import type { Document } from './documents.ts';

/**
 * One port forwarding, with Neutron's keys and no others. `portId`: `null` where the port is not known. A single port is
 * `external_port: 80` alone, as Neutron's reference has it, or with `singlePortRanges` also `external_port_range: '80:80'`,
 * as Neutron itself does it.
 */
export function printForwarding(forward: Forward, portId: string | null, singlePortRanges: boolean): Document {
  return {
    id: forward.id,
    ...printPorts('external', forward.externalPorts, singlePortRanges),
    protocol: forward.protocol,
    internal_port_id: portId,
    internal_ip_address: forward.internalAddress.text,
    ...printPorts('internal', forward.internalPorts, singlePortRanges),
    description: forward.description ?? '',
  };
}

/** As it stands in the floating IP: in Neutron, without description and ranges. */
export function printForwardingInFloatingIp(forward: Forward, portId: string | null): Document {
  return {
    id: forward.id,
    protocol: forward.protocol,
    internal_ip_address: forward.internalAddress.text,
    internal_port_id: portId,
    ...printSinglePort('internal', forward.internalPorts),
    ...printSinglePort('external', forward.externalPorts),
  };
}

/** What Neutron has no word for. `counters`: `null` where they are not kept here. */
export function printExtras(forward: Forward, status: ForwardStatus, counters: NodeCounters | null): Document {
  return {
    'hatoba:name': forward.name,
    'hatoba:sources': forward.sources.map(({ text }) => text),
    'hatoba:enabled': forward.enabled,
    'hatoba:expires_at': forward.expiresAt,
    'hatoba:state': status.state,
    'hatoba:message': status.message,
    'hatoba:warnings': status.warnings,
    'hatoba:counters': counters && printCounters(counters),
  };
}

type Side = 'external' | 'internal';

function printPorts(side: Side, ports: PortRange, singlePortRanges: boolean): Document {
  const hasRange = singlePortRanges || portCount(ports) > 1;
  return {
    ...printSinglePort(side, ports),
    ...(hasRange ? { [`${side}_port_range`]: printRange(ports) } : {}),
  };
}

function printSinglePort(side: Side, ports: PortRange): Document {
  return portCount(ports) === 1 ? { [`${side}_port`]: ports.first } : {};
}

function printCounters({ connections, in: into, out, lastUsed }: NodeCounters): Document {
  return {
    connections,
    packets_in: into?.packets ?? null,
    bytes_in: into?.bytes ?? null,
    packets_out: out?.packets ?? null,
    bytes_out: out?.bytes ?? null,
    last_used: lastUsed === null ? null : printTime(lastUsed),
  };
}
