import type { Address } from '../../../model/address.ts';
import type { RouterId } from '../../../model/router.ts';
import type { Document } from '../documents.ts';
import type { GatewayIp } from '../topology.ts';
import type { Identities } from './identities.ts';
import type { Port } from './ports.ts';

/** Something of Neutron's that is kept nowhere, as it would answer it. */
export type Thing = Document & { readonly id: string };

/** What all things have in common. */
export interface Around {
  readonly identities: Identities;
  /** `''`: of none. */
  readonly projectId: string;
  /** RFC 3339, in seconds: since when they are known. */
  readonly since: string;
}

function common({ projectId, since }: Around): Document {
  return {
    tenant_id: projectId,
    project_id: projectId,
    description: '',
    tags: [],
    created_at: since,
    updated_at: since,
    revision_number: 0,
  };
}

/** The network outside all routers, or one inside. */
export function printNetwork(around: Around, id: string, name: string): Thing {
  const { identities } = around;
  return {
    id,
    name,
    admin_state_up: true,
    mtu: 1500,
    status: 'ACTIVE',
    subnets: [identities.subnet(id)],
    shared: false,
    'router:external': id === identities.outside,
    availability_zone_hints: [],
    availability_zones: [],
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    port_security_enabled: false,
    ...(id === identities.outside ? { is_default: false } : {}),
    ...common(around),
  };
}

/** The one subnet of a network. Which addresses it has is not known, so it has them all. */
export function printSubnet(around: Around, network: string, name: string): Thing {
  return {
    id: around.identities.subnet(network),
    name,
    network_id: network,
    ip_version: 4,
    subnetpool_id: null,
    enable_dhcp: false,
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    gateway_ip: null,
    cidr: '0.0.0.0/0',
    allocation_pools: [],
    host_routes: [],
    dns_nameservers: [],
    service_types: [],
    ...common(around),
  };
}

/** `gateway`: `null` where it has none at present. */
export function printRouter(around: Around, router: RouterId, gateway: GatewayIp | null): Thing {
  const { identities } = around;
  const fixedIps = [{ subnet_id: identities.subnet(identities.outside), ip_address: gateway?.address.text }];
  const gatewayInfo = { network_id: identities.outside, external_fixed_ips: fixedIps, enable_snat: true };
  return {
    id: identities.router(router),
    name: router,
    admin_state_up: true,
    status: 'ACTIVE',
    external_gateway_info: gateway === null ? null : gatewayInfo,
    routes: [],
    distributed: false,
    ha: false,
    flavor_id: null,
    availability_zone_hints: [],
    availability_zones: [],
    ...common(around),
  };
}

export function printPort(around: Around, { id, router, address }: Port): Thing {
  const network = around.identities.inside(router);
  return printAnyPort(around, { id, name: address.text, network, address, deviceId: '', deviceOwner: '' });
}

/** The router's own port in the network outside. */
export function printGatewayPort(
  around: Around,
  { portId: id, networkId: network, address, routerId }: GatewayIp,
): Thing {
  const deviceOwner = 'network:router_gateway';
  return printAnyPort(around, { id, name: '', network, address, deviceId: routerId, deviceOwner });
}

interface PortFields {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly address: Address;
  readonly deviceId: string;
  readonly deviceOwner: string;
}

function printAnyPort(around: Around, { id, name, network, address, deviceId, deviceOwner }: PortFields): Thing {
  const { identities } = around;
  return {
    id,
    name,
    network_id: network,
    mac_address: '',
    admin_state_up: true,
    status: 'ACTIVE',
    device_id: deviceId,
    device_owner: deviceOwner,
    fixed_ips: [{ subnet_id: identities.subnet(network), ip_address: address.text }],
    port_security_enabled: false,
    extra_dhcp_opts: [],
    'binding:vnic_type': 'normal',
    'binding:profile': {},
    'binding:host_id': '',
    'binding:vif_type': 'unbound',
    'binding:vif_details': {},
    ...common(around),
  };
}
