import type { OwnerOf } from './iptables-forwards.ts';

/** What the names of hatoba's own chains begin with. */
export const OUR_CHAINS = 'hatoba-';

/** Programs by the beginnings of the names of their chains; each makes its rules anew, so nobody else's change lasts. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  Neutron: ['neutron-'],
  hatoba: [OUR_CHAINS],
  Docker: ['DOCKER'],
  Podman: ['NETAVARK', 'CNI-', 'PODMAN'],
  Kubernetes: ['KUBE-', 'cali-', 'CILIUM_', 'FLANNEL-', 'WEAVE'],
  libvirt: ['LIBVIRT_'],
  firewalld: ['PRE_', 'PREROUTING_direct', 'PREROUTING_ZONES', 'PREROUTING_POLICIES'],
  ufw: ['ufw-', 'ufw6-'],
  MiniUPnPd: ['MINIUPNPD'],
  Istio: ['ISTIO_'],
};

/** Programs by what their comments in built-in chains begin with. */
const COMMENTS: Readonly<Record<string, readonly string[]>> = {
  'LXD or Incus': ['generated for LXD', 'generated for Incus'],
  Kubernetes: ['kubernetes '],
};

/** Whether it is one of hatoba's own. */
export function isOurChain(chain: string): boolean {
  return chain.startsWith(OUR_CHAINS);
}

/** The program that a rule of iptables belongs to; null: it was made by hand, as far as that can be told. */
export const ownerOfRule: OwnerOf = ({ chain, text }) => {
  const [, comment = ''] = / --comment "?([^"]*)/.exec(text) ?? [];
  return named(CHAINS, chain) ?? named(COMMENTS, comment);
};

function named(beginnings: Readonly<Record<string, readonly string[]>>, name: string): string | null {
  const found = Object.entries(beginnings).find(([, those]) => those.some((beginning) => name.startsWith(beginning)));
  return found?.[0] ?? null;
}

/** Programs by the names of their tables of nft. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  firewalld: ['firewalld'],
  Docker: ['docker'],
  Podman: ['netavark'],
  Kubernetes: ['kube-proxy', 'cni_hostport', 'cali'],
  libvirt: ['libvirt_network'],
  'LXD or Incus': ['lxd', 'incus'],
  MiniUPnPd: ['miniupnpd'],
};

/** The same for a table of nft. */
export function ownerOfTable(table: string): string | null {
  return named(TABLES, table);
}
