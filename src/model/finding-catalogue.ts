/** From harmless to harmful. */
export const FINDING_LEVELS = ['ok', 'warning', 'problem'] as const;
export type FindingLevel = (typeof FINDING_LEVELS)[number];

interface FindingKind {
  readonly level: FindingLevel;
  /** One sentence without its end, which quotes what was seen; `{name}` marks a parameter. */
  readonly seen: string;
  /** What to do about it; empty: nothing. */
  readonly advice: string;
}

const [ok, warning, problem] = [
  { level: 'ok', advice: '' } as const,
  { level: 'warning' } as const,
  { level: 'problem' } as const,
];

/** Everything that `hatoba doctor` can find, by its stable code. docs/findings.md is made from it. */
export const FINDINGS = {
  capabilities_present: { ...ok, seen: 'the daemon has the rights that it needs' },
  capability_missing: {
    ...problem,
    seen: 'the daemon lacks {name}',
    advice: 'Run it as root, or by the unit packaging/systemd/hatoba.service, which gives it what it needs.',
  },
  store_unavailable: {
    ...problem,
    seen: '{reason}',
    advice:
      'Save what the daemon still knows with `hatoba backup > FILE`, stop it, put the database back, start it, and compare: `hatoba restore --replace < FILE`.',
  },
  forwards_orphaned: {
    ...problem,
    seen: 'the kernel has {count} forwards that the store does not know',
    advice:
      'The database is new, was emptied or is older than they are. They stay until you say what is meant: `hatoba recover` makes forwards of them (with --dry-run, only shows them), `hatoba cleanup` removes them.',
  },
  driver_library: { ...ok, seen: 'the table was made by the library libnftables' },
  driver_program: {
    level: 'ok',
    seen: 'the table was made by the program nft',
    advice: 'Nothing has to be done. With the package libnftables1 the library is used.',
  },
  agent_absent: {
    ...warning,
    seen: 'the node {node} looks after no routers, so nothing can be seen from here',
    advice: 'Ask the daemon of a node that has the role agent.',
  },
  router_absent: {
    ...problem,
    seen: 'this node does not have the router {router}',
    advice:
      'If another node has it, ask there. Otherwise compare its name with `hatoba router list`, and the names of namespaces (`ip netns list`) with the patterns of the configuration.',
  },
  router_failing: {
    ...problem,
    seen: 'the forwards cannot be applied: {reason}',
    advice: "It is tried again by itself. The daemon's log says more.",
  },
  router_unreadable: {
    ...problem,
    seen: 'the router could not be looked at: {reason}',
    advice: 'Put right what the sentence names, or try again where the router has just been made anew.',
  },
  forwarding_on: { ...ok, seen: 'IPv{family} packets are forwarded' },
  forwarding_off: {
    ...problem,
    seen: 'IPv{family} packets are not forwarded ({setting}=0)',
    advice: 'Switch it on: {within}sysctl -w {setting}=1; to keep it, write it to a file in /etc/sysctl.d.',
  },
  family_absent: {
    ...problem,
    seen: 'the kernel has no IPv{family} there',
    advice: 'Start it with IPv{family}, or remove these forwards.',
  },
  gateway_present: { ...ok, seen: 'the IPv{family} gateway is {address}, on {interfaces}' },
  gateway_missing: {
    ...warning,
    seen: 'there is no IPv{family} gateway address on {interfaces}',
    advice:
      'On the standby of a highly available router that is as it should be. Otherwise give the interface its address: the forwards follow by themselves.',
  },
  outside_missing: {
    ...problem,
    seen: 'no interface leads outside for IPv{family}',
    advice:
      'Compare the names of interfaces ({within}ip link) with `outside` in the configuration; where that is left out there has to be a default route, by an interface with an address.',
  },
  conntrack_roomy: { ...ok, seen: 'connection tracking has {count} of {limit} entries' },
  conntrack_nearly_full: {
    ...warning,
    seen: 'connection tracking is nearly full: {count} of {limit} entries',
    advice: 'Raise the limit, on the machine itself: sysctl -w net.netfilter.nf_conntrack_max={more}.',
  },
  conntrack_full: {
    ...problem,
    seen: 'connection tracking is full: {count} of {limit} entries, so new connections are dropped',
    advice:
      'Raise the limit, on the machine itself: sysctl -w net.netfilter.nf_conntrack_max={more}. `conntrack -L` shows who takes the room.',
  },
  rules_unread: {
    ...warning,
    seen: 'rules of others could not be read: {reason}',
    advice: 'What they do to packets is not part of this diagnosis. Install what is missing, and ask again.',
  },
  forwards_inactive: {
    ...problem,
    seen: '{count} of its forwards are {state}, the oldest of them {forward}: {reason}',
    advice: 'Ask for each of them: `hatoba doctor {forward}`.',
  },
  forward_active: { ...ok, seen: 'the forward is active' },
  forward_inactive: {
    ...problem,
    seen: 'the forward is {state}: {reason}',
    advice: 'See docs/operations.md, which says what each state means and what to do.',
  },
  rules_overlap: {
    ...warning,
    seen: '{warning}',
    advice:
      'Decide which of the two is wanted, and remove the other. `hatoba adopt` takes rules made by hand over as forwards.',
  },
  forward_disabled: {
    ...warning,
    seen: 'the forward is disabled',
    advice: 'Enable it: `hatoba forward enable {forward}`.',
  },
  forward_expired: {
    ...warning,
    seen: 'the forward expired at {time}',
    advice: 'Renew it: `hatoba forward set {forward} --expires 2h`, or `never`.',
  },
  rule_present: { ...ok, seen: 'it is in the kernel, and has translated {connections}' },
  rule_missing: {
    ...problem,
    seen: 'it is not in the kernel of this node at present',
    advice: 'If it is still so in a moment, somebody keeps removing it: `{within}nft monitor` shows who.',
  },
  address_present: { ...ok, seen: 'the router has the address {address} itself' },
  address_absent: {
    ...warning,
    seen: 'the router does not have the address {address} itself',
    advice:
      'It works if the network outside routes that address to the router. Otherwise nobody answers when its neighbours ask who has it: use an address of the router.',
  },
  route_present: { ...ok, seen: 'packets to {target} leave by {way}' },
  route_missing: {
    ...problem,
    seen: 'packets to {target} have no way: {reason}',
    advice:
      'Connect the router to the network of the target, or give it a route there: {within}ip route get {target}. If it is a typing error: `hatoba forward set {forward} --internal ADDRESS:PORT`.',
  },
  route_outside: {
    ...warning,
    seen: 'packets to {target} leave by {way}, which leads outside',
    advice: 'Is that the right address? The router seems not to have an interface in the network of the target.',
  },
  answer_bypasses_router: {
    ...problem,
    seen: 'the answers of {target} go past the router: the target is in the network outside, which clients come from',
    advice:
      'Clients drop such answers, since they come from an address that the clients did not ask. Give the forward a target behind the router. If the target has to stay there, translate the source as well, so that the target answers the router: a rule of your own in nat POSTROUTING, -d {target} -j MASQUERADE.',
  },
  target_local: {
    level: 'ok',
    seen: '{target} is an address of the router itself: packets to it are delivered there, and not forwarded',
    advice: 'The rules that count are those of INPUT and OUTPUT.',
  },
  routing_unclear: {
    ...warning,
    seen: 'which way packets to {target} and their answers take depends on a rule for routing: {rule}',
    advice:
      'hatoba does not follow such rules. Ask the kernel for one packet: {within}ip route get {target} from CLIENT iif INTERFACE mark MARK.',
  },
  neighbour_present: { ...ok, seen: '{address} is a neighbour, in state {state}' },
  neighbour_unknown: {
    level: 'ok',
    seen: 'the router has not spoken to {address} lately',
    advice: 'Whether it is there shows as soon as a packet is sent to it.',
  },
  neighbour_failed: {
    ...problem,
    seen: 'nobody answers when the router asks who has {address} (neighbour state {state})',
    advice:
      'Is the target running, and is {address} its address? In OpenStack also: is its port bound and up (openstack port list --server SERVER)?',
  },
  target_answers: {
    level: 'ok',
    seen: '{target} accepts connections from the router',
    advice:
      'If clients outside do not get through: a firewall before the target, such as a security group, has to let in the addresses of the clients themselves, not that of the router.',
  },
  target_refuses: {
    ...problem,
    seen: '{target} refuses connections: there is a machine, but no service on that port',
    advice: 'Start the service there, and see that it listens on that address and not on 127.0.0.1: ss -ltn.',
  },
  target_silent: {
    ...problem,
    seen: '{target} does not answer the router',
    advice:
      'A firewall before the target or on it drops the packets, such as a security group that does not allow this port; or the machine has no way back to the router. If the firewall admits by source, it may let in clients all the same.',
  },
  target_unreachable: {
    ...problem,
    seen: '{target} cannot be reached from the router: {reason}',
    advice: 'See what else is said of the route and the neighbour.',
  },
  target_untold: {
    level: 'ok',
    seen: 'whether {target} answers cannot be told for {protocol} from here',
    advice:
      'On the target, `ss -ln` shows what listens; on the router, `tcpdump -ni any host {address}` whether it answers.',
  },
  reply_route_present: {
    level: 'ok',
    seen: 'answers to clients such as {client} leave by {way}',
    advice:
      "What cannot be seen from here: the target has to send them to this router. On the target, `ip route get {client}` has to name the router's inner address.",
  },
  reply_route_missing: {
    ...problem,
    seen: 'answers to clients such as {client} have no way: {reason}',
    advice: 'Give the router a way to its clients, mostly a default route: {within}ip route.',
  },
  reply_route_astray: {
    ...warning,
    seen: 'answers to clients such as {client} leave by {way}, though the clients come in by {outside}',
    advice:
      'Where the network outside does not expect that, it drops them. Compare the routes: {within}ip route get {client}.',
  },
  arrival_refused: {
    ...problem,
    seen: 'packets from clients such as {client} that come in by {outside} are not forwarded: {reason}',
    advice:
      'See whether forwarding is on for that interface ({within}sysctl net.ipv4.conf.{outside}.forwarding), and what rules there are for routing: {within}ip rule.',
  },
  reverse_path_filtered: {
    ...problem,
    seen: 'packets from clients such as {client} are dropped at {outside}: its reverse path filter is strict, and answers would leave by {way}',
    advice:
      'Mend the route, or loosen the filter: {within}sysctl -w net.ipv4.conf.{outside}.rp_filter=2, and the same for `all` where that is 1.',
  },
  firewall_passed: { ...ok, seen: 'none of {count} chains of others stops its packets' },
  firewall_unclear: {
    ...warning,
    seen: 'whether {chain} lets {packets} through depends on more than can be told here, first of all on: {rule}',
    advice: 'Look at it with a client in mind: {within}iptables-save, {within}nft list ruleset.',
  },
  rule_diverts: {
    ...problem,
    seen: '{chain} sends {packets} another way than this forward, by the rule: {rule}',
    advice:
      'Connection tracking and the first translation of a flow come before the forward there. Remove that rule, or except these packets from it.',
  },
  established_dropped: {
    ...problem,
    seen: '{chain} lets the first packet to {target} through and drops those that follow, by {rule}: no connection is ever complete',
    advice:
      'Accept established connections there, in both directions: iptables -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT, or in nft: ct state established,related accept.',
  },
  policy_drops: {
    ...problem,
    seen: 'the policy of {chain} is drop, and no rule was found there that accepts {packets}',
    advice:
      'Accept them there by a rule of your own. In FORWARD of iptables hatoba does so itself where the configuration has `open_forward_policy: true` for this router.',
  },
  rule_drops: {
    ...problem,
    seen: '{chain} drops {packets}, by the rule: {rule}',
    advice: 'hatoba does not overrule it. Change that rule, or put one before it that accepts them.',
  },
  docker_drops: {
    ...problem,
    seen: 'Docker drops {packets}: {chain} accepts only what Docker itself has published',
    advice:
      'Allow hatoba to open it, by `open_forward_policy: true` for this router in the configuration. Or open it by hand, in the chain that Docker leaves to its users: iptables (for IPv6, ip6tables) -I DOCKER-USER -m conntrack --ctstate DNAT -j ACCEPT.',
  },
  firewalld_drops: {
    ...problem,
    seen: 'firewalld drops {packets}, in {chain}, by the rule: {rule}',
    advice:
      'hatoba cannot open it, since what is accepted elsewhere firewalld can still drop. Where firewalld.conf has StrictForwardPorts=yes, `no` lets everything through that is translated. Or allow this alone: firewall-cmd --permanent --new-policy hatoba; firewall-cmd --permanent --policy hatoba --add-ingress-zone ANY --add-egress-zone ANY --add-rich-rule \'rule family="ipv{family}" destination address="{address}" port port="{port}" protocol="{protocol}" accept\'; firewall-cmd --reload.',
  },
  address_scope_differs: {
    ...problem,
    seen: 'Neutron drops {packets}, since the networks outside and inside are in different address scopes, by the rule: {rule}',
    advice:
      'Put the subnet pools of both networks into one address scope (openstack subnet pool set --address-scope), or give the target a floating IP.',
  },
} as const satisfies Record<string, FindingKind>;

export type FindingCode = keyof typeof FINDINGS;
