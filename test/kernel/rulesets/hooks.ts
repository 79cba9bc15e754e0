import type { FindingCode } from '../../../src/model/finding-catalogue.ts';
import { CLIENT, GATEWAY, INSIDE, INSTANCE, OUTSIDE } from '../../support/network.ts';

/** Rules at one hook of a packet's way, and what is said of a forward of TCP from the gateway's port 80 to the instance's 8080. */
export interface HookRuleset {
  readonly name: string;
  /** For `iptables-restore`, of either variant. */
  readonly iptables?: string;
  /** For `nft -f`: the table is `inet fence` or `netdev fence`. */
  readonly nft?: string;
  /** Whether the forward is open to all, and not to the client alone. */
  readonly open?: boolean;
  readonly passes: boolean;
  readonly code: FindingCode;
  /** Parts of what is said: the chain, and the rule. */
  readonly quotes?: readonly string[];
}

const save = (table: string, ...lines: readonly string[]) => [`*${table}`, ...lines, 'COMMIT', ''].join('\n');

/** A table of one chain, with another one that it can call. */
const chain = (head: string, ...rules: readonly string[]) =>
  [
    `table ${head.startsWith('ingress') || head.startsWith('egress') ? 'netdev' : 'inet'} fence {`,
    ' chain first {',
    `  type ${head.startsWith('nat ') ? head.replace('nat ', 'nat hook ') : `filter hook ${head}`}`,
    ...rules.map((rule) => `  ${rule}`),
    ' }',
    '}',
    '',
  ].join('\n');
const open = (place: string) => `${place}; policy accept;`;
const closed = (place: string) => `${place}; policy drop;`;

const PASSED = { passes: true, code: 'firewall_passed' } as const;
const DROPPED = { passes: false, code: 'rule_drops' } as const;

export const HOOK_RULESETS: readonly HookRuleset[] = [
  {
    name: 'mangle PREROUTING',
    iptables: save('mangle', '-A PREROUTING -p tcp -m tcp --dport 80 -j DROP'),
    ...DROPPED,
    quotes: [
      'mangle PREROUTING',
      '-A PREROUTING -p tcp -m tcp --dport 80 -j DROP',
      `packets to ${INSTANCE[4]}:8080/tcp`,
    ],
  },
  {
    name: 'raw PREROUTING',
    iptables: save('raw', `-A PREROUTING -d ${GATEWAY[4]}/32 -j DROP`),
    ...DROPPED,
    quotes: ['raw PREROUTING', `-A PREROUTING -d ${GATEWAY[4]}/32 -j DROP`],
  },
  {
    name: 'raw PREROUTING, for answers',
    iptables: save('raw', `-A PREROUTING -s ${INSTANCE[4]}/32 -p tcp -m tcp --sport 8080 -j DROP`),
    ...DROPPED,
    quotes: ['raw PREROUTING', `the answers of ${INSTANCE[4]}:8080/tcp`],
  },
  {
    name: 'mangle POSTROUTING',
    iptables: save('mangle', `-A POSTROUTING -o ${INSIDE} -j DROP`),
    ...DROPPED,
    quotes: ['mangle POSTROUTING', `-A POSTROUTING -o ${INSIDE} -j DROP`],
  },
  {
    name: 'nft prerouting behind ours',
    nft: chain(open('prerouting priority -50'), 'tcp dport 8080 drop'),
    ...DROPPED,
    quotes: ['nft inet fence first', 'tcp dport 8080 drop'],
  },
  {
    name: 'nft prerouting ahead of ours',
    nft: chain(open('prerouting priority -120'), 'tcp dport 8080 drop'),
    ...PASSED,
  },
  {
    name: 'nft postrouting',
    nft: chain(open('postrouting priority 0'), `oifname "${INSIDE}" ip daddr ${INSTANCE[4]} drop`),
    ...DROPPED,
    quotes: ['nft inet fence first', `oifname "${INSIDE}" ip daddr ${INSTANCE[4]} drop`],
  },
  {
    name: 'nft postrouting, where answers have the outside address again',
    nft: chain(open('postrouting priority 101'), `ip saddr ${GATEWAY[4]} tcp sport 80 drop`),
    ...DROPPED,
    quotes: ['nft inet fence first', `the answers of ${INSTANCE[4]}:8080/tcp`],
  },
  {
    name: 'nft postrouting, where they do not have it yet',
    nft: chain(open('postrouting priority 99'), `ip saddr ${GATEWAY[4]} tcp sport 80 drop`),
    ...PASSED,
  },
  {
    name: 'a policy of prerouting',
    nft: chain(closed('prerouting priority 0'), 'ct state established accept', 'tcp dport 80 accept'),
    passes: false,
    code: 'policy_drops',
    quotes: ['nft inet fence first'],
  },
  {
    name: 'netdev ingress',
    nft: chain(open(`ingress device "${OUTSIDE}" priority 0`), 'tcp dport 80 drop'),
    ...DROPPED,
    quotes: ['nft netdev fence first', 'tcp dport 80 drop'],
  },
  {
    name: 'netdev ingress of the other interface',
    nft: chain(open(`ingress device "${INSIDE}" priority 0`), 'tcp dport 80 drop'),
    ...PASSED,
  },
  {
    name: 'netdev egress',
    nft: chain(open(`egress device "${INSIDE}" priority 0`), 'tcp dport 8080 drop'),
    ...DROPPED,
    quotes: ['nft netdev fence first', 'tcp dport 8080 drop'],
  },
  {
    name: 'netdev egress, for answers',
    nft: chain(open(`egress devices = { "${INSIDE}", "${OUTSIDE}" } priority 0`), `ip saddr ${GATEWAY[4]} drop`),
    ...DROPPED,
    quotes: ['nft netdev fence first', `the answers of ${INSTANCE[4]}:8080/tcp`],
  },
  {
    name: 'what is new comes in, all goes out, and nothing established comes in',
    iptables: save(
      'filter',
      ':FORWARD DROP [0:0]',
      `-A FORWARD -i ${OUTSIDE} -m conntrack --ctstate NEW -j ACCEPT`,
      `-A FORWARD -i ${INSIDE} -j ACCEPT`,
    ),
    passes: false,
    code: 'established_dropped',
    quotes: ['filter FORWARD', 'its policy'],
  },
  {
    name: 'likewise in prerouting',
    nft: chain(open('prerouting priority -140'), `iifname "${OUTSIDE}" ct state established drop`),
    passes: false,
    code: 'established_dropped',
    quotes: ['nft inet fence first', `iifname "${OUTSIDE}" ct state established drop`],
  },
  {
    name: 'what begins without SYN is dropped',
    iptables: save(
      'filter',
      '-A FORWARD -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP',
    ),
    ...PASSED,
  },
  {
    name: 'before connection tracking all is invalid',
    nft: chain(open('prerouting priority -250'), 'ct state invalid tcp dport 80 drop'),
    ...DROPPED,
    quotes: ['nft inet fence first'],
  },
  {
    name: 'what was translated is told only behind translation',
    nft: chain(open('prerouting priority -150'), 'ct status dnat ct state new drop', 'ct status snat drop'),
    ...PASSED,
  },
  {
    name: 'a status as a whole has other bits, too',
    nft: chain(open('forward priority 0'), 'ct status != dnat drop'),
    passes: false,
    code: 'firewall_unclear',
  },
  {
    name: 'several states in a row that are negated are met by every packet',
    nft: chain(open('forward priority 0'), 'ct state != established,related drop'),
    ...DROPPED,
    quotes: ['ct state != established | related drop'],
  },
  {
    name: 'not tracked, hence not translated',
    iptables: save('raw', `-A PREROUTING -i ${OUTSIDE} -p tcp -m tcp --dport 80 -j CT --notrack`),
    passes: false,
    code: 'rule_diverts',
    quotes: ['raw PREROUTING', 'CT --notrack'],
  },
  {
    name: 'translated elsewhere ahead of ours',
    nft: chain(`nat prerouting priority -120; policy accept;`, 'tcp dport 80 redirect to :81'),
    passes: false,
    code: 'rule_diverts',
    quotes: ['nft inet fence first', 'tcp dport 80 redirect to :81'],
  },
  {
    name: 'translated elsewhere behind ours: it is never asked',
    nft: chain(`nat prerouting priority -90; policy drop;`, 'tcp dport 80 redirect to :81'),
    ...PASSED,
  },
  {
    name: 'a policy of a chain that translates sources is asked for first packets only',
    nft: chain(`nat postrouting priority 90; policy drop;`, `oifname "${INSIDE}" masquerade`),
    ...PASSED,
  },
  {
    name: 'a chain of the name of a target',
    iptables: save('filter', ':LOG - [0:0]', '-A FORWARD -j LOG', `-A LOG -o ${INSIDE} -j DROP`),
    ...DROPPED,
    quotes: ['filter FORWARD', `-A LOG -o ${INSIDE} -j DROP`],
  },
  {
    name: 'a hop limit that is set',
    iptables: save('mangle', '-A PREROUTING -j TTL --ttl-set 1'),
    passes: false,
    code: 'firewall_unclear',
    quotes: ['TTL --ttl-set 1'],
  },
  {
    name: 'a mark of nft',
    nft: chain(open('prerouting priority -140'), 'tcp dport 80 meta mark set 0x5', 'meta mark 0x5 drop'),
    ...DROPPED,
    quotes: ['meta mark 0x00000005 drop'],
  },
  {
    name: 'a mark that is set before a condition of its rule does not hold',
    nft: chain(
      open('prerouting priority -140'),
      'meta mark set 0x5 tcp dport 81 accept',
      'meta mark & 0x4 == 0x4 drop',
    ),
    ...DROPPED,
  },
  {
    name: 'a mark of the connection, which its later packets have',
    iptables: save(
      'mangle',
      '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff',
      `-A FORWARD -m mark --mark 0x7 -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP`,
      `-A POSTROUTING -m conntrack --ctstate NEW -j CONNMARK --set-xmark 0x7/0xffffffff`,
    ),
    passes: false,
    code: 'established_dropped',
    quotes: ['mangle FORWARD'],
  },
  {
    name: 'an accept behind which a mark would be set',
    nft: chain(
      open('prerouting priority -140'),
      'ip saddr 198.51.100.0/25 accept',
      'meta mark set 0x5',
      'ct mark set meta mark',
    ).replace(
      '\n}\n',
      '\n chain second {\n  type filter hook forward priority 0; policy accept;\n  meta mark 0 drop\n }\n}\n',
    ),
    open: true,
    passes: false,
    code: 'firewall_unclear',
    quotes: ['meta mark 0x00000000 drop'],
  },
  ...[
    'ct count over 100',
    'limit rate over 1000/second',
    'quota over 100 mbytes',
    'numgen random mod 1000000 == 1',
  ].map(
    (condition): HookRuleset => ({
      name: condition,
      nft: chain(open('forward priority 0'), `${condition} drop`),
      passes: true,
      code: 'firewall_unclear',
      quotes: [condition.split(' ')[0] ?? ''],
    }),
  ),
  {
    name: 'a set that a rule fills',
    nft: `table inet fence {\n set m { type ipv4_addr; flags dynamic; size 100; timeout 1m; }\n chain first {\n type filter hook forward priority 0; policy accept;\n add @m { ip saddr limit rate over 1000/second } drop\n }\n}\n`,
    passes: true,
    code: 'firewall_unclear',
    quotes: ['add @m { ip saddr limit rate over'],
  },
  {
    name: `a client's address, behind others' translation of it`,
    iptables: save('nat', `-A POSTROUTING -o ${INSIDE} -j MASQUERADE`),
    nft: chain(open('postrouting priority 101'), `ip saddr ${CLIENT[4]} oifname "${INSIDE}" drop`),
    passes: true,
    code: 'firewall_unclear',
    quotes: ['nft inet fence first'],
  },
];
