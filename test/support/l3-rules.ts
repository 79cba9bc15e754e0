import type { Family } from '../../src/model/address.ts';

/** What Neutron's l3-agent knows of a router. */
export interface NeutronRouter {
  /** The outside interface, `qg-…`. */
  readonly outside: string;
  /** Its IPv4 address there, which is the source of what goes out. */
  readonly gateway: string;
  /** Number of the outside network's address scope; 1024 is that of networks that are in none. */
  readonly outsideScope: number;
  readonly inside: readonly InsideInterface[];
  /** Outside addresses that belong to one inner address each, in both directions. */
  readonly floatingIps: readonly FloatingIp[];
  /** Neutron's own forwards, on floating IPs of their own. */
  readonly portForwardings: readonly PortForwarding[];
}

export interface InsideInterface {
  /** `qr-…`, `sg-…` */
  readonly name: string;
  readonly scope: number;
}

export interface FloatingIp {
  readonly floating: string;
  readonly fixed: string;
  /** That of the fixed address. */
  readonly scope: number;
}

export interface PortForwarding {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly floating: string;
  readonly protocol: 'tcp' | 'udp';
  /** `2000`, `3000:3009` */
  readonly ports: string;
  /** `10.0.0.1:22` */
  readonly target: string;
}

/** Rules of one table by chain, as iptables-save prints them behind the chain's name. */
export type Chains = Readonly<Record<string, readonly string[]>>;
export type Tables = Readonly<Record<'raw' | 'mangle' | 'filter' | 'nat', Chains>>;

const METADATA = { 4: '-d 169.254.169.254/32', 6: '-d fe80::a9fe:a9fe/128' } as const;
const METADATA_PORT = 9697;

/** The two halves of a packet's mark: what the packet is, and its address scope. */
const [KIND, SCOPE] = ['0xffff', '0xffff0000'];
const [TO_METADATA, FROM_OUTSIDE] = ['0x1', '0x2'];
const SAVE_SCOPE = `-m connmark --mark 0x0/${SCOPE} -j CONNMARK --save-mark --nfmask ${SCOPE} --ctmask ${SCOPE}`;
const RESTORE_SCOPE = `-m connmark ! --mark 0x0/${SCOPE} -j CONNMARK --restore-mark --nfmask ${SCOPE} --ctmask ${SCOPE}`;

/** The chains and rules that the agent gives such a router (neutron/agent/l3, neutron/agent/linux/iptables_manager.py). */
export function tablesOf(router: NeutronRouter, family: Family): Tables {
  return {
    raw: jumps('PREROUTING', 'OUTPUT'),
    mangle: mangle(router, family),
    filter: filter(router),
    nat: family === 4 ? nat(router) : jumps('PREROUTING'),
  };
}

/** Names are cut, since iptables takes 28 characters. */
function own(name: string): string {
  return `neutron-l3-agent-${name.slice(0, 11)}`;
}

/** Built-in chains that lead to empty ones of the agent's. */
function jumps(...builtin: readonly string[]): Chains {
  return Object.fromEntries(
    builtin.flatMap((name) => [
      [name, [`-j ${own(name)}`]],
      [own(name), []],
    ]),
  );
}

const scopeMark = (scope: number) => `0x${(scope << 16).toString(16)}/${SCOPE}`;

function mangle(router: NeutronRouter, family: Family): Chains {
  const { outside, outsideScope, inside, floatingIps } = router;
  const sides = [...inside, { name: outside, scope: outsideScope }];
  const chains = jumps('PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING');
  const scopes = sides.map(({ name, scope }) => `-i ${name} -j MARK --set-xmark ${scopeMark(scope)}`);
  const metadata = `${METADATA[family]} -i qr-+ -p tcp -m tcp --dport 80 -j MARK --set-xmark ${TO_METADATA}/${KIND}`;
  if (family === 6) {
    return {
      ...chains,
      [own('PREROUTING')]: [`-j ${own('scope')}`, RESTORE_SCOPE, metadata],
      [own('scope')]: scopes,
    };
  }
  return {
    ...chains,
    [own('PREROUTING')]: [
      `-j ${own('mark')}`,
      `-j ${own('scope')}`,
      RESTORE_SCOPE,
      `-j ${own('floatingip')}`,
      metadata,
    ],
    [own('FORWARD')]: floatingIps.map(({ fixed }) => `-s ${fixed}/32 -j ${own('float-snat')}`),
    [own('POSTROUTING')]: [`-o ${outside} ${SAVE_SCOPE}`],
    [own('mark')]: [`-i ${outside} -j MARK --set-xmark ${FROM_OUTSIDE}/${KIND}`],
    [own('scope')]: scopes,
    [own('floatingip')]: floatingIps.map((ip) => `-d ${ip.floating}/32 -j MARK --set-xmark ${scopeMark(ip.scope)}`),
    [own('float-snat')]: [SAVE_SCOPE],
  };
}

function filter({ inside }: NeutronRouter): Chains {
  const top = 'neutron-filter-top';
  return {
    ...jumps('INPUT'),
    FORWARD: [`-j ${top}`, `-j ${own('FORWARD')}`],
    OUTPUT: [`-j ${top}`, `-j ${own('OUTPUT')}`],
    [top]: [`-j ${own('local')}`],
    [own('local')]: [],
    [own('OUTPUT')]: [],
    [own('INPUT')]: [
      `-m mark --mark ${TO_METADATA}/${KIND} -j ACCEPT`,
      `-p tcp -m tcp --dport ${METADATA_PORT} -j DROP`,
    ],
    [own('FORWARD')]: [`-j ${own('scope')}`],
    [own('scope')]: inside.map(({ name, scope }) => `-o ${name} -m mark ! --mark ${scopeMark(scope)} -j DROP`),
  };
}

function nat({ outside, gateway, floatingIps, portForwardings }: NeutronRouter): Chains {
  const bottom = 'neutron-postrouting-bottom';
  const inward = floatingIps.map(({ floating, fixed }) => `-d ${floating}/32 -j DNAT --to-destination ${fixed}`);
  const chainOf = ({ id }: PortForwarding) => own(`pf-${id}`);
  return {
    ...jumps('PREROUTING', 'OUTPUT'),
    POSTROUTING: [`-j ${own('POSTROUTING')}`, `-j ${bottom}`],
    [own('PREROUTING')]: [
      ...inward,
      `${METADATA[4]} -i qr-+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports ${METADATA_PORT}`,
      ...(portForwardings.length > 0 ? [`-j ${own('fip-pf')}`] : []),
    ],
    [own('OUTPUT')]: inward,
    ...(portForwardings.length > 0 && { [own('fip-pf')]: portForwardings.map((one) => `-j ${chainOf(one)}`) }),
    ...Object.fromEntries(
      portForwardings.map((one) => [
        chainOf(one),
        [
          `-d ${one.floating}/32 -p ${one.protocol} -m ${one.protocol} --dport ${one.ports} ` +
            `-j DNAT --to-destination ${one.target}`,
        ],
      ]),
    ),
    [own('POSTROUTING')]: [`! -o ${outside} -m conntrack ! --ctstate DNAT -j ACCEPT`],
    [bottom]: [`-m comment --comment "Perform source NAT on outgoing traffic." -j ${own('snat')}`],
    [own('float-snat')]: floatingIps.map(
      ({ floating, fixed }) => `-s ${fixed}/32 -j SNAT --to-source ${floating} --random-fully`,
    ),
    [own('snat')]: [
      `-j ${own('float-snat')}`,
      `-o ${outside} -j SNAT --to-source ${gateway} --random-fully`,
      `-m mark ! --mark ${FROM_OUTSIDE}/${KIND} -m conntrack --ctstate DNAT -j SNAT --to-source ${gateway} --random-fully`,
    ],
  };
}
