import type { Family } from '../../../model/address.ts';

/**
 * Our table, as typed objects: static rules and maps whose elements are the forwards, so that the cost of a packet
 * does not grow with their number (https://wiki.nftables.org, "Maps"; one hash lookup a family).
 */

/** The one table of ours in each router; what others own is never touched. */
export const TABLE = 'hatoba';

/** Datatypes of nft (`nft describe`) that keys and values are made of. */
export type Datatype = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service';

export interface NftMap {
  readonly name: string;
  readonly key: readonly Datatype[];
  readonly value: readonly Datatype[];
}

/** The first packet of a flow: to the address and port that the map has for its destination. */
export interface DnatRule {
  readonly kind: 'dnat';
  readonly family: Family;
  readonly map: NftMap;
}

export interface NftChain {
  readonly name: string;
  readonly type: 'nat';
  readonly hook: 'prerouting';
  readonly priority: number;
  readonly rules: readonly DnatRule[];
}

export interface Layout {
  readonly table: string;
  readonly maps: readonly NftMap[];
  readonly chains: readonly NftChain[];
}

/** linux/netfilter_ipv4.h NF_IP_PRI_NAT_DST. The first chain that translates a flow wins, so ours comes before iptables'. */
const DSTNAT = -100;

/** Single ports to single ports. */
export const EXACT: Readonly<Record<Family, NftMap>> = {
  4: {
    name: 'exact4',
    key: ['ipv4_addr', 'inet_proto', 'inet_service'],
    value: ['ipv4_addr', 'inet_service'],
  },
  6: {
    name: 'exact6',
    key: ['ipv6_addr', 'inet_proto', 'inet_service'],
    value: ['ipv6_addr', 'inet_service'],
  },
};

export const LAYOUT: Layout = {
  table: TABLE,
  maps: [EXACT[4], EXACT[6]],
  chains: [
    {
      name: 'prerouting',
      type: 'nat',
      hook: 'prerouting',
      priority: DSTNAT - 10,
      rules: [
        { kind: 'dnat', family: 4, map: EXACT[4] },
        { kind: 'dnat', family: 6, map: EXACT[6] },
      ],
    },
  ],
};
