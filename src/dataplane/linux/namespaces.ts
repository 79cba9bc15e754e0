import { fitsWildcard } from '../../model/wildcard.ts';
import type { BackendName } from './backend.ts';

/** What a router's interfaces are called, and what it is programmed by. */
export interface RouterSides {
  /** Beginnings of the names of interfaces that lead outside; left out: the default route says which one does. */
  readonly outside?: readonly string[];
  /** Beginnings of the names of interfaces that lead to inner networks; left out: all others but the loopback. */
  readonly inside?: readonly string[];
  /** Whether iptables' chain FORWARD may be made to accept what forwards translate; left out: nobody looks at it. */
  readonly openForwardPolicy?: boolean;
  /** Whether addresses with the longest possible prefix are others', which is Neutron's way with floating IPs; left out: in namespaces of Neutron's. */
  readonly floatingIps?: boolean;
  /** Default: that of the node. */
  readonly backend?: BackendName;
}

/** Which network namespaces are routers. */
export interface NamespacePattern extends RouterSides {
  /** The namespace's name; `*` stands for any characters. */
  readonly namespace: string;
  readonly outside: readonly string[];
  readonly inside: readonly string[];
}

/** neutron/agent/l3/{router_info,dvr_edge_router}.py: the devices of a router, and of a distributed one's central part. */
export const NEUTRON_PATTERNS: readonly NamespacePattern[] = [
  { namespace: 'qrouter-*', outside: ['qg-'], inside: ['qr-'] },
  { namespace: 'snat-*', outside: ['qg-'], inside: ['sg-'] },
];

/** The first pattern that fits the namespace's name. */
export function patternOf(namespace: string, patterns: readonly NamespacePattern[]): NamespacePattern | undefined {
  return patterns.find((pattern) => fitsWildcard(namespace, pattern.namespace));
}
