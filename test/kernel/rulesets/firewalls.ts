import { CLIENT, GATEWAY, INSIDE, INSTANCE, OUTSIDE } from '../../support/network.ts';

/** Rules as their programs print them, and what they do to TCP from the client to the instance's port 8080. */
export interface Ruleset {
  readonly name: string;
  /** For `iptables-restore`. */
  readonly iptables?: string;
  /** For `nft -f`. */
  readonly nft?: string;
  readonly passes: boolean;
  /** What is said of it: the first chain that stops it, and by which rule; `unclear`, and on which rule it depends. */
  readonly said: {
    readonly outcome: 'accept' | 'drop' | 'unclear';
    readonly chain?: string;
    readonly rule?: string | null;
  };
}

/** As Docker 28 leaves it with one container that publishes no port (`iptables-save -t filter`); before it, only names differ. */
export const DOCKER = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
`;

/** The same of Docker 20, whose chain for users ends with a return. */
export const OLD_DOCKER = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
`;

/**
 * firewalld 2's filter for forwarded packets (`nft list table inet firewalld`), the outside interface in zone public, without
 * chains that stay empty. `strict`: with StrictForwardPorts=yes, which leaves out the line about what was translated.
 */
export function firewalld(strict: boolean): string {
  return `table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		${strict ? '' : 'ct status dnat accept'}
		iifname "lo" accept
		ct state invalid drop
		ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24, 2002:7f00::/24, 2002:c0a8::/32 } reject with icmpv6 addr-unreachable
		jump filter_FORWARD_POLICIES
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD_POLICIES {
		iifname "${OUTSIDE}" oifname "${OUTSIDE}" jump filter_FWD_public
		iifname "${OUTSIDE}" oifname "${OUTSIDE}" reject with icmpx admin-prohibited
		iifname "${OUTSIDE}" jump filter_FWD_public
		iifname "${OUTSIDE}" reject with icmpx admin-prohibited
		jump filter_FWD_public
		reject with icmpx admin-prohibited
	}
	chain filter_FWD_public {
		jump filter_FWD_public_pre
		jump filter_FWD_public_allow
	}
	chain filter_FWD_public_pre {
	}
	chain filter_FWD_public_allow {
		oifname "${OUTSIDE}" accept
	}
}
`;
}

const filter = (policy: 'ACCEPT' | 'DROP', ...rules: readonly string[]) =>
  ['*filter', `:FORWARD ${policy} [0:0]`, ':inner - [0:0]', ...rules, 'COMMIT', ''].join('\n');

const back = '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
const inet = (policy: 'accept' | 'drop', ...rules: readonly string[]) =>
  [
    'table inet fence {',
    ' chain inner {',
    ' }',
    ' chain forward {',
    `  type filter hook forward priority 0; policy ${policy};`,
    ...rules.map((rule) => `  ${rule}`),
    ' }',
    '}',
    '',
  ].join('\n');
const scopes = (inside: number) => `*mangle
:PREROUTING ACCEPT [0:0]
:neutron-l3-agent-PREROUTING - [0:0]
:neutron-l3-agent-mark - [0:0]
:neutron-l3-agent-scope - [0:0]
-A PREROUTING -j neutron-l3-agent-PREROUTING
-A neutron-l3-agent-PREROUTING -j neutron-l3-agent-mark
-A neutron-l3-agent-PREROUTING -j neutron-l3-agent-scope
-A neutron-l3-agent-PREROUTING -m connmark ! --mark 0x0/0xffff0000 -j CONNMARK --restore-mark --nfmask 0xffff0000 --ctmask 0xffff0000
-A neutron-l3-agent-PREROUTING -d 169.254.169.254/32 -i qr-+ -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffff
-A neutron-l3-agent-mark -i ${OUTSIDE} -j MARK --set-xmark 0x2/0xffff
-A neutron-l3-agent-scope -i ${INSIDE} -j MARK --set-xmark 0x${(inside << 16).toString(16)}/0xffff0000
-A neutron-l3-agent-scope -i ${OUTSIDE} -j MARK --set-xmark 0x4000000/0xffff0000
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:neutron-filter-top - [0:0]
:neutron-l3-agent-FORWARD - [0:0]
:neutron-l3-agent-scope - [0:0]
-A FORWARD -j neutron-filter-top
-A FORWARD -j neutron-l3-agent-FORWARD
-A neutron-l3-agent-FORWARD -j neutron-l3-agent-scope
-A neutron-l3-agent-scope -o ${INSIDE} -m mark ! --mark 0x${(inside << 16).toString(16)}/0xffff0000 -j DROP
-A neutron-l3-agent-scope -m mark --mark 0x1/0xffff -j DROP
COMMIT
`;

const DROPPED = { outcome: 'drop', chain: 'filter FORWARD' } as const;
const PASSED = { outcome: 'accept' } as const;

export const IPTABLES_RULESETS: readonly Ruleset[] = [
  { name: 'an open router', iptables: filter('ACCEPT'), passes: true, said: PASSED },
  { name: 'a policy alone', iptables: filter('DROP'), passes: false, said: { ...DROPPED, rule: null } },
  { name: 'Docker', iptables: DOCKER, passes: false, said: { ...DROPPED, rule: null } },
  { name: 'Docker as it was', iptables: OLD_DOCKER, passes: false, said: { ...DROPPED, rule: null } },
  {
    name: 'what is allowed by port',
    iptables: filter('DROP', back, `-A FORWARD -d ${INSTANCE[4]}/32 -o ${INSIDE} -p tcp -m tcp --dport 8080 -j ACCEPT`),
    passes: true,
    said: PASSED,
  },
  {
    name: 'what is allowed by another port',
    iptables: filter('DROP', back, `-A FORWARD -d ${INSTANCE[4]}/32 -p tcp -m multiport --dports 80,443 -j ACCEPT`),
    passes: false,
    said: { ...DROPPED, rule: null },
  },
  {
    name: 'what is allowed in one direction only',
    iptables: filter('DROP', `-A FORWARD -i ${OUTSIDE} -j ACCEPT`),
    passes: false,
    said: { ...DROPPED, rule: null },
  },
  {
    name: 'what was translated is allowed',
    iptables: filter('DROP', back, '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT'),
    passes: true,
    said: PASSED,
  },
  {
    name: 'where it was sent to is allowed',
    iptables: filter(
      'DROP',
      `-A FORWARD -m conntrack --ctproto 6 --ctorigdst ${GATEWAY[4]} --ctorigdstport 80:81 -j ACCEPT`,
    ),
    passes: true,
    said: PASSED,
  },
  {
    name: 'a final reject',
    iptables: filter('ACCEPT', back, '-A FORWARD -j REJECT --reject-with icmp-host-prohibited'),
    passes: false,
    said: { ...DROPPED, rule: '-A FORWARD -j REJECT --reject-with icmp-host-prohibited' },
  },
  {
    name: 'a chain that comes back',
    iptables: filter('ACCEPT', '-A FORWARD -j inner', `-A inner -i ${OUTSIDE} -j RETURN`, '-A inner -j DROP', back),
    passes: false,
    // Of the answers, for which the chain has no exception.
    said: { ...DROPPED, rule: '-A inner -j DROP' },
  },
  {
    name: 'a goto, and a negation',
    iptables: filter('ACCEPT', '-A FORWARD -g inner', '-A FORWARD -j DROP', `-A inner ! -p udp -j ACCEPT`),
    passes: true,
    said: PASSED,
  },
  {
    name: 'it depends on the client',
    iptables: filter('DROP', back, `-A FORWARD -s ${CLIENT[4]}/32 -j ACCEPT`),
    passes: true,
    said: { outcome: 'unclear', rule: `-A FORWARD -s ${CLIENT[4]}/32 -j ACCEPT` },
  },
  {
    name: 'it depends on how often',
    iptables: filter('ACCEPT', '-A FORWARD -m limit --limit 1/hour --limit-burst 1 -j DROP'),
    passes: false,
    said: { outcome: 'unclear', rule: '-A FORWARD -m limit --limit 1/hour --limit-burst 1 -j DROP' },
  },
  {
    name: 'it depends on a match that has no options',
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m socket -j MARK --set-xmark 0x9/0xffffffff\nCOMMIT\n${filter('ACCEPT', '-A FORWARD -m mark --mark 0x9 -j DROP')}`,
    passes: true,
    said: { outcome: 'unclear', rule: '-A FORWARD -m mark --mark 0x9 -j DROP' },
  },
  {
    name: 'mangle',
    iptables: `*mangle\n:FORWARD ACCEPT [0:0]\n-A FORWARD -o ${INSIDE} -j DROP\nCOMMIT\n`,
    passes: false,
    said: { outcome: 'drop', chain: 'mangle FORWARD', rule: `-A FORWARD -o ${INSIDE} -j DROP` },
  },
  { name: 'Neutron, one address scope', iptables: scopes(1024), passes: true, said: PASSED },
  {
    name: 'Neutron, two address scopes',
    iptables: scopes(1025),
    passes: false,
    said: {
      ...DROPPED,
      rule: `-A neutron-l3-agent-scope -o ${INSIDE} -m mark ! --mark 0x4010000/0xffff0000 -j DROP`,
    },
  },
];

const FENCE = 'nft inet fence forward';

export const NFT_RULESETS: readonly Ruleset[] = [
  { name: 'an open table', nft: inet('accept'), passes: true, said: PASSED },
  { name: 'a policy alone', nft: inet('drop'), passes: false, said: { outcome: 'drop', chain: FENCE, rule: null } },
  { name: 'firewalld', nft: firewalld(false), passes: true, said: PASSED },
  {
    name: 'firewalld, strict',
    nft: firewalld(true),
    passes: false,
    said: {
      outcome: 'drop',
      chain: 'nft inet firewalld filter_FORWARD',
      rule: `iifname "${OUTSIDE}" reject with icmpx`,
    },
  },
  {
    name: 'what is allowed by port',
    nft: inet(
      'drop',
      'ct state established,related accept',
      `ip daddr ${INSTANCE[4]} tcp dport { 22, 8000-9000 } accept`,
    ),
    passes: true,
    said: PASSED,
  },
  {
    name: 'what is allowed to another network',
    nft: inet(
      'drop',
      'ct state established,related accept',
      'ip daddr { 10.30.0.0/16, 10.20.0.100-10.20.0.200 } accept',
    ),
    passes: false,
    said: { outcome: 'drop', chain: FENCE, rule: null },
  },
  {
    name: 'a map of states',
    nft: inet('drop', 'ct state vmap { invalid : drop, established : accept, new : accept }'),
    passes: true,
    said: PASSED,
  },
  {
    name: 'pairs of interfaces',
    nft: inet('drop', 'ct state established accept', `iifname . oifname { "${OUTSIDE}" . "${INSIDE}" } accept`),
    passes: true,
    said: PASSED,
  },
  {
    name: 'names with a star, and other families',
    nft: inet(
      'drop',
      'ip6 daddr ::/0 accept',
      'ct direction reply accept',
      'meta nfproto ipv4 oifname "qr-*" meta l4proto tcp accept',
    ),
    passes: true,
    said: PASSED,
  },
  {
    name: 'what a negation demands by the way: the header that it looks into',
    nft: inet(
      'accept',
      'udp dport != 22 drop',
      'ip6 daddr != ::1 drop',
      'sctp sport != 22 drop',
      'ip daddr . udp dport != { 10.20.0.9 . 22 } drop',
      'ip6 daddr . tcp dport != { ::1 . 22 } drop',
      `ip daddr . th dport != { ${INSTANCE[4]} . 8080, 10.20.0.9 . 22 } ct state new drop`,
    ),
    passes: true,
    said: PASSED,
  },
  {
    name: 'a pair that is negated, of headers that it has',
    nft: inet('accept', 'ip daddr . tcp dport != { 10.20.0.9 . 8080 } drop'),
    passes: false,
    said: { outcome: 'drop', chain: FENCE, rule: 'ip daddr . tcp dport != { 10.20.0.9 . 8080 } drop' },
  },
  {
    name: 'a pair that is negated, of an address below IP',
    nft: inet('accept', 'ct state new ether saddr . tcp dport != { 02:00:00:00:00:09 . 8080 } drop'),
    passes: false,
    said: { outcome: 'unclear', chain: FENCE, rule: 'ct state new ether saddr . tcp dport' },
  },
  {
    name: 'triples of addresses, ports and interfaces, and a map of ports',
    nft: inet(
      'drop',
      'ct state established accept',
      `ip daddr . tcp dport . oifname { 10.20.0.9 . 8080 . "${INSIDE}", ${INSTANCE[4]} . 8000-8090 . "${INSIDE}" } tcp dport vmap { 22 : drop, 8080 : accept }`,
    ),
    passes: true,
    said: PASSED,
  },
  {
    name: 'what it was sent to',
    nft: inet('drop', `meta l4proto tcp ct original ip daddr ${GATEWAY[4]} ct original proto-dst 80 accept`),
    passes: true,
    said: PASSED,
  },
  {
    name: 'it depends on a set that is not read',
    nft: `table inet fence {\n set friends { type ipv4_addr; elements = { ${CLIENT[4]} }\n }\n chain forward {\n type filter hook forward priority 0; policy drop;\n ct state established accept\n ip saddr @friends accept\n }\n}\n`,
    passes: true,
    said: { outcome: 'unclear', chain: FENCE, rule: 'ip saddr @friends accept' },
  },
  {
    name: 'two tables: an accept in one does not overrule a drop in the other',
    nft: `${inet('accept', 'accept')}table ip second {\n chain gate {\n type filter hook forward priority 5; policy accept;\n tcp dport 8080 drop\n }\n}\n`,
    passes: false,
    said: { outcome: 'drop', chain: 'nft ip second gate', rule: 'tcp dport 8080 drop' },
  },
  {
    name: 'a table of the other family',
    nft: 'table ip6 second {\n chain gate {\n type filter hook forward priority 5; policy drop;\n }\n}\n',
    passes: true,
    said: PASSED,
  },
];
