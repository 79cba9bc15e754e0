import type { Family } from '../../../model/address.ts';

/**
 * Our table, as typed objects: static rules, and maps and sets whose elements are the forwards, so that the cost of a
 * packet does not grow with their number (https://wiki.nftables.org, "Maps").
 */

/** The one table of ours that stays in each router; what others own is never touched. */
export const TABLE = 'hatoba';

/** What the names of tables begin with that are there only while packets are watched. */
export const WATCH_PREFIX = 'hatoba_watch_';

/** Whether a table of the inet family is ours. */
export function isOwnTable(name: string): boolean {
  return name === TABLE || name.startsWith(WATCH_PREFIX);
}

/** Datatypes of nft (`nft describe`) that keys and values are made of. */
export type Datatype = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'ct_dir' | 'ifname';

export interface NftSet {
  readonly name: string;
  readonly key: readonly Datatype[];
  /** What a map leads to; none: it is a set. */
  readonly value?: readonly Datatype[];
  /** Whether keys may be intervals in each of their parts: looked up as fast however many there are, but not hashed. */
  readonly interval: boolean;
  /** Whether elements may have an end, at which the kernel takes them away by itself. */
  readonly timeout: boolean;
  /** Whether values go from one port to another, as far from each other as those of the key (`TableSource`). */
  readonly shifts: boolean;
  /** Whether each element counts the packets that it matches. */
  readonly counter: boolean;
}

type Hook = 'prerouting' | 'input' | 'output' | 'postrouting';

export interface NftChain {
  readonly name: string;
  /** `null`: others jump to it. */
  readonly hook: {
    readonly type: 'nat' | 'filter';
    readonly hook: Hook;
    readonly priority: number;
  } | null;
  /** In nft's words. */
  readonly rules: readonly string[];
}

export interface Layout {
  readonly table: string;
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
}

/** The sets and maps of one family. */
export interface FamilySets {
  /** Single ports to single ports, for anyone. */
  readonly exact: NftSet;
  /** Single ports that only some may use, and ranges that lead to one port. */
  readonly guarded: NftSet;
  /** Ranges that keep their ports. */
  readonly span: NftSet;
  /** Ranges that lead to other ports, in blocks. */
  readonly shift: NftSet;
  /** The outside addresses of forwards. */
  readonly outside: NftSet;
  /** What `exact` has, by direction, to count all packets. */
  readonly flows: NftSet;
  /** What the others have, likewise, of a shifted range all in one. */
  readonly wideFlows: NftSet;
}

/** linux/netfilter_ipv4.h: NF_IP_PRI_MANGLE, NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC, and far behind the last. */
const [MANGLE, DSTNAT, SRCNAT, LAST] = [-150, -100, 100, 300];

/**
 * The first nat chain that translates a flow wins. Ours come before iptables' where they say where a flow goes, and behind
 * where they masquerade what would not work otherwise: others know better whom their own flows come from.
 */
const [BEFORE, BEHIND] = [-10, 10];

/** Where in a packet's way forwards are: hooks of prerouting with lower priorities come first. */
export const FORWARD_PRIORITY = DSTNAT + BEFORE;

/** Of these, connection tracking knows ports. */
const PROTOCOLS = '{ 6, 17, 33, 132, 136 }';

/**
 * Maps of intervals are compared part by part (nft_set_pipapo.c), and what a part costs grows with the elements that all
 * before it have left over. So the port comes first, which few elements have in common, and the client's address last.
 */
function setsOf(family: Family): FamilySets {
  const address: Datatype = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const place: readonly Datatype[] = [address, 'inet_proto', 'inet_service'];
  const guard: readonly Datatype[] = [address, 'inet_proto', address];
  const set = (name: string, key: readonly Datatype[], value?: readonly Datatype[]): NftSet => ({
    name: `${name}${family}`,
    key,
    ...(value === undefined ? {} : { value }),
    interval: true,
    timeout: value !== undefined,
    shifts: false,
    counter: true,
  });
  return {
    exact: { ...set('exact', place, [address, 'inet_service']), interval: false },
    guarded: set('guarded', ['inet_service', ...guard], [address, 'inet_service']),
    span: set('span', ['inet_service', ...guard], [address]),
    shift: { ...set('shift', ['inet_service', ...guard], [address, 'inet_service']), shifts: true },
    outside: { ...set('outside', [address]), interval: false, counter: false },
    flows: { ...set('flows', ['ct_dir', ...place]), interval: false },
    wideFlows: set('wide_flows', ['inet_service', 'ct_dir', ...guard]),
  };
}

/** Each inside interface twice: by which a packet comes in, and by which it leaves. */
export const HAIRPIN: NftSet = {
  name: 'hairpin',
  key: ['ifname', 'ifname'],
  interval: false,
  timeout: false,
  shifts: false,
  counter: false,
};

export const SETS: Readonly<Record<Family, FamilySets>> = { 4: setsOf(4), 6: setsOf(6) };

/** To where the maps say. nft wants to see that the protocol has ports, where a map of intervals gives one. */
function translate(family: Family): readonly string[] {
  const ip = family === 4 ? 'ip' : 'ip6';
  const { exact, guarded, span, shift } = SETS[family];
  const flow = `th dport . ${ip} daddr . meta l4proto . ${ip} saddr`;
  return [
    `dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @${exact.name}`,
    `meta l4proto ${PROTOCOLS} dnat ${ip} to ${flow} map @${guarded.name}`,
    `dnat ${ip} to ${flow} map @${span.name}`,
    `meta l4proto ${PROTOCOLS} dnat ${ip} to ${flow} map @${shift.name}`,
  ];
}

/**
 * What leaves by the inside interface it came in by (hairpin NAT, RFC 4787 section 6). The postrouting hook knows the
 * interface a packet came in by since Linux 5.5 (28f8bfd1ac94, "netfilter: Support iif matches in POSTROUTING"), but not of
 * packets that a bridge leads from port to port (`br_nf_post_routing` in br_netfilter_hooks.c): these never leave their
 * bridge. The router's own packets came in by none either. Two registers cannot be compared before Linux 6.13, hence the set.
 */
const HAIRPINNED = [
  `ct status dnat meta iifname . meta oifname @${HAIRPIN.name} jump masquerade_hairpin`,
  `ct status dnat meta iif 0 meta oifname . meta oifname @${HAIRPIN.name} fib saddr type != local jump masquerade_hairpin`,
];

/** What others translate is not ours to masquerade: a flow has to have come to an address that rules of ours have. */
function masquerade(family: Family): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  return `ct original ${ip} daddr @${SETS[family].outside.name} masquerade`;
}

/** Packets as clients see them: before they are translated, and after answers have been. */
function count(family: Family, outside: 'd' | 's'): readonly string[] {
  const ip = family === 4 ? 'ip' : 'ip6';
  const [own, client] = outside === 'd' ? ['d', 's'] : ['s', 'd'];
  const { flows, wideFlows } = SETS[family];
  return [
    `ct direction . ${ip} ${own}addr . meta l4proto . th ${own}port @${flows.name}`,
    `th ${own}port . ct direction . ${ip} ${own}addr . meta l4proto . ${ip} ${client}addr @${wideFlows.name}`,
  ];
}

const TRANSLATING: readonly NftChain[] = [
  { name: 'translate', hook: null, rules: [...translate(4), ...translate(6)] },
  { name: 'masquerade_hairpin', hook: null, rules: [masquerade(4), masquerade(6)] },
  {
    name: 'prerouting',
    hook: { type: 'nat', hook: 'prerouting', priority: FORWARD_PRIORITY },
    rules: ['jump translate'],
  },
  { name: 'output', hook: { type: 'nat', hook: 'output', priority: FORWARD_PRIORITY }, rules: ['jump translate'] },
  {
    name: 'postrouting',
    hook: { type: 'nat', hook: 'postrouting', priority: SRCNAT + BEHIND },
    rules: HAIRPINNED,
  },
];

const COUNTING: readonly NftChain[] = [
  { name: 'count_arriving', hook: null, rules: [...count(4, 'd'), ...count(6, 'd')] },
  { name: 'count_leaving', hook: null, rules: [...count(4, 's'), ...count(6, 's')] },
  ...counting(['arriving', 'prerouting'], ['leaving', 'postrouting']),
  // Of flows that the router itself begins.
  ...counting(['arriving_own', 'output'], ['leaving_own', 'input']),
];

/**
 * Where packets have the outside address of the forward. What goes the other way there can have one, too, by which others
 * masquerade clients, and is none of the forward's that has this address.
 */
function counting(
  ...[[arriving, first], [leaving, last]]: readonly [readonly [string, Hook], readonly [string, Hook]]
): readonly NftChain[] {
  const rule = (direction: string, chain: string) => `ct status dnat ct direction ${direction} jump ${chain}`;
  return [
    {
      name: arriving,
      hook: { type: 'filter', hook: first, priority: MANGLE },
      rules: [rule('original', 'count_arriving')],
    },
    { name: leaving, hook: { type: 'filter', hook: last, priority: LAST }, rules: [rule('reply', 'count_leaving')] },
  ];
}

/** `accounting`: whether packets and bytes are counted, not only connections. */
export function layoutOf({ accounting }: { readonly accounting: boolean }): Layout {
  const families = [SETS[4], SETS[6]];
  return {
    table: TABLE,
    sets: [
      ...families.flatMap(({ exact, guarded, span, shift, outside }) => [exact, guarded, span, shift, outside]),
      HAIRPIN,
      ...(accounting ? families.flatMap(({ flows, wideFlows }) => [flows, wideFlows]) : []),
    ],
    chains: [...TRANSLATING, ...(accounting ? COUNTING : [])],
  };
}
