/** One end of a veth pair. */
export interface Interface {
  readonly namespace: string;
  readonly name: string;
  /** CIDR form, both families. */
  readonly addresses: readonly string[];
}

export interface Namespace {
  readonly name: string;
  readonly sysctls: readonly string[];
  /** Default gateways. */
  readonly gateways: readonly string[];
}

/** Who lives where, in words, cables and addresses. */
export interface Topology {
  readonly namespaces: readonly Namespace[];
  readonly links: readonly (readonly [Interface, Interface])[];
}

export const ROUTER_ID = '5f1b3c08-7d42-4e6a-9b0e-3a1c5d7e9f20';
export const ROUTER_NAMESPACE = `qrouter-${ROUTER_ID}`;
export const CLIENT_NAMESPACE = 'hatoba-lab-client';
export const INSTANCE_NAMESPACE = 'hatoba-lab-instance';

export const GATEWAY_ADDRESSES = { 4: '192.168.1.100', 6: '2001:db8:1::100' } as const;
export const CLIENT_ADDRESSES = { 4: '192.168.1.5', 6: '2001:db8:1::5' } as const;
export const INSTANCE_ADDRESSES = { 4: '192.168.50.11', 6: '2001:db8:50::11' } as const;
const INSIDE_GATEWAYS = { 4: '192.168.50.1', 6: '2001:db8:50::1' } as const;

/** Where the instance answers, by TCP and UDP. */
export const INSTANCE_PORT = 22;

/** Neutron names a router's interface by the first eleven characters of its port's id. */
const OUTSIDE_INTERFACE = 'qg-8c6e1f3a-2b';
const INSIDE_INTERFACE = 'qr-d04b97e5-61';
const ETHERNET = 'eth0';

/**
 * New namespaces may come with IPv6 switched off, as the machine's defaults say. Duplicate address detection
 * would keep every address unusable for a second or two.
 */
const IPV6_AT_ONCE = [
  'net.ipv6.conf.all.disable_ipv6=0',
  'net.ipv6.conf.default.disable_ipv6=0',
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.default.accept_dad=0',
] as const;

/** What neutron-l3-agent sets in a router's namespace (neutron/agent/l3/namespaces.py). */
const ROUTER_SYSCTLS = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.conf.all.arp_ignore=1',
  'net.ipv4.conf.all.arp_announce=2',
  'net.netfilter.nf_conntrack_tcp_be_liberal=1',
  'net.ipv6.conf.all.forwarding=1',
] as const;

/** The practice network: an outside client, a router as Neutron makes it, an instance on its inner network. */
export const TOPOLOGY: Topology = {
  namespaces: [
    { name: CLIENT_NAMESPACE, sysctls: IPV6_AT_ONCE, gateways: [] },
    {
      name: ROUTER_NAMESPACE,
      sysctls: [...IPV6_AT_ONCE, ...ROUTER_SYSCTLS],
      // Whoever is outside, a router has a way back to them.
      gateways: [CLIENT_ADDRESSES[4], CLIENT_ADDRESSES[6]],
    },
    { name: INSTANCE_NAMESPACE, sysctls: IPV6_AT_ONCE, gateways: [INSIDE_GATEWAYS[4], INSIDE_GATEWAYS[6]] },
  ],
  links: [
    [end(ROUTER_NAMESPACE, OUTSIDE_INTERFACE, GATEWAY_ADDRESSES), end(CLIENT_NAMESPACE, ETHERNET, CLIENT_ADDRESSES)],
    [end(ROUTER_NAMESPACE, INSIDE_INTERFACE, INSIDE_GATEWAYS), end(INSTANCE_NAMESPACE, ETHERNET, INSTANCE_ADDRESSES)],
  ],
};

function end(namespace: string, name: string, addresses: { readonly 4: string; readonly 6: string }): Interface {
  return { namespace, name, addresses: [`${addresses[4]}/24`, `${addresses[6]}/64`] };
}
