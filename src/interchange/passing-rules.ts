import type { Option } from './iptables-options.ts';

/**
 * What a rule does to packets that go on to the next one, besides counting them: it reports them (`observes`), or it changes
 * what other rules can depend on, such as a mark (`changes`).
 */
export type PassingEffect = 'observes' | 'changes';

/** Targets after which a packet goes on to the next rule. */
export const PASSING: ReadonlySet<string> = new Set(
  'AUDIT CHECKSUM CLASSIFY CONNMARK CONNSECMARK CT DSCP HL IDLETIMER LED LOG MARK NFLOG NOTRACK RATEEST SECMARK SET TCPMSS TEE TOS TRACE TTL ULOG'.split(
    ' ',
  ),
);

/** Those of them that only report packets. */
const OBSERVING: ReadonlySet<string> = new Set('AUDIT LED LOG NFLOG TRACE ULOG'.split(' '));

/** Matches that keep nothing that another rule can see (iptables-extensions(8)). */
const PURE: ReadonlySet<string> = new Set(
  (
    'addrtype ah bpf cgroup cluster comment connbytes connmark conntrack cpu dccp devgroup dscp dst ecn esp eui64 frag ' +
    'hbh helper hl icmp icmp6 iprange ipv6header ipvs length limit mac mark mh multiport osf owner physdev pkttype policy ' +
    'quota rateest realm rpfilter rt sctp set socket state statistic string tcp tcpmss time tos ttl u32 udp udplite'
  ).split(' '),
);

/** What the target of this name does; null: it only counts packets, or they do not go on. */
export function effectOfTarget(name: string | null): PassingEffect | null {
  if (name === null || !PASSING.has(name)) return null;
  return OBSERVING.has(name) ? 'observes' : 'changes';
}

/** A condition that changes something, such as `-m recent --set`. */
export interface ConditionWithEffect {
  readonly option: Option;
  /** What packets have to meet first: conditions of the rule itself, then matches in order. */
  readonly before: readonly Option[];
}

/** The first one of a rule; null: there is none. */
export function conditionWithEffect(conditions: readonly Option[]): ConditionWithEffect | null {
  const at = conditions.findIndex(({ name, values: [match = ''] }) => name === '-m' && !PURE.has(match));
  const option = conditions[at];
  if (option === undefined) return null;
  return { option, before: conditions.filter(({ name }, index) => index < at || OF_RULE.includes(name)) };
}

const OF_RULE = ['-s', '-d', '-p', '-i'];
