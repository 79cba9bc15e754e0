import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { Document } from './documents.ts';
import { printForwardingInFloatingIp } from './forwarding-documents.ts';
import type { GatewayIp } from './topology.ts';

export interface ForwardsOfGateway {
  readonly gateway: GatewayIp;
  /** In order of their ids. */
  readonly forwards: readonly Forward[];
}

/** How a gateway is shown; see `printGatewayIp`. */
export type GatewayView = 'list' | 'project list' | 'single';

type Identified = Document & { readonly id: string };

/**
 * A gateway as a floating IP, with Neutron's keys. Clients take a floating IP without a `port_id` for one that is free
 * (openstacksdk, `available_floating_ip`, `delete_unattached_floating_ips`; gophercloud's users by `PortID == ""`), others look
 * at `fixed_ip_address` or `status`; so a list shows a gateway at the router's gateway port, where it is. Horizon, however,
 * offers port forwardings only where there is no `port_id`; it asks for one floating IP, or for those of a project, and in these
 * a gateway is shown as Neutron shows a floating IP that has port forwardings. Horizon offers it for association all the same,
 * unless `portforwardings` has something (api/neutron.py, `FloatingIp`; project/floating_ips/workflows.py).
 */
export function printGatewayIp(
  at: ForwardsOfGateway,
  portIds: ReadonlyMap<ForwardId, readonly string[]>,
  startedAt: string,
  view: GatewayView,
): Identified {
  const document = printUnbound(at, portIds, startedAt);
  if (view === 'single') return document;
  if (view === 'list') return { ...document, ...printBinding(at.gateway) };
  return { ...document, portforwardings: [{ router_id: at.gateway.routerId }] };
}

function printUnbound(
  { gateway, forwards }: ForwardsOfGateway,
  portIds: ReadonlyMap<ForwardId, readonly string[]>,
  startedAt: string,
): Identified {
  return {
    id: gateway.id,
    tenant_id: gateway.projectId,
    floating_ip_address: gateway.address.text,
    floating_network_id: gateway.networkId,
    router_id: gateway.routerId,
    port_id: null,
    fixed_ip_address: null,
    status: 'ACTIVE',
    description: '',
    port_details: null,
    port_forwardings: forwards.map((forward) =>
      printForwardingInFloatingIp(forward, portIds.get(forward.id)?.[0] ?? null),
    ),
    tags: gateway.tags,
    created_at: printSeconds(startedAt),
    updated_at: printSeconds(newest(forwards, startedAt)),
    revision_number: revisionOfGateway(forwards),
    project_id: gateway.projectId,
  };
}

/** `port_details` has the keys of Neutron's extension fip-port-details. */
function printBinding({ portId, address, networkId, routerId }: GatewayIp): Document {
  return {
    port_id: portId,
    fixed_ip_address: address.text,
    port_details: {
      name: '',
      network_id: networkId,
      mac_address: '',
      admin_state_up: true,
      status: 'ACTIVE',
      device_id: routerId,
      device_owner: 'network:router_gateway',
    },
  };
}

/** That of the newest forward; 0 without any. */
export function revisionOfGateway(forwards: readonly Forward[]): number {
  return forwards.reduce((most, { revision }) => Math.max(most, revision), 0);
}

/** Times are texts that sort as they do. */
function newest(forwards: readonly Forward[], least: string): string {
  return [least, ...forwards.map(({ updatedAt }) => updatedAt)].sort().at(-1) ?? least;
}

/** Neutron's times have no fractions of seconds. */
export function printSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
