import { type Address, addressValue, type Family } from '../model/address.ts';
import type { Cidr } from '../model/cidr.ts';
import type { PortRange } from '../model/port-range.ts';
import type { Protocol } from '../model/protocol.ts';
import { createEarlierRules, meets, onlyOf, type Piece, shared } from './earlier-rules.ts';
import { indexIntervals } from './interval-index.ts';
import { addressSpace, type Intervals, unite } from './intervals.ts';
import { type Rule, translates } from './iptables-rule.ts';
import type { Visit } from './iptables-walk.ts';
import type { PassingEffect } from './passing-rules.ts';
import type { Hook } from './rule-hooks.ts';

/** Packets that somebody looks after: of one protocol, for one address. */
export interface Packets extends Piece {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly destination: bigint;
}

/** The outside of a forward. */
export interface Outside {
  readonly protocol: Protocol;
  readonly external: Address;
  readonly externalPorts: PortRange;
  /** Empty: anyone. */
  readonly sources: readonly Cidr[];
}

/** The packets that it is for. */
export function packetsOf(outside: Outside): Packets {
  const { protocol, external, externalPorts, sources } = outside;
  return {
    family: external.family,
    protocol,
    destination: addressValue(external),
    ports: [{ first: BigInt(externalPorts.first), last: BigInt(externalPorts.last) }],
    sources:
      sources.length === 0
        ? [addressSpace(external.family)]
        : sources.reduce<Intervals>((all, one) => unite(all, [one]), []),
  };
}

/** A rule that keeps packets from whatever comes behind it. */
export interface Taking {
  readonly hook: Hook;
  readonly visit: Visit;
  /** Whether addresses, ports and protocols tell which it takes. */
  readonly isSure: boolean;
  /** Whether it takes, as far as these tell, from all sources. */
  readonly hasAllSources: boolean;
  /** Whether it takes all of them, for certain. */
  readonly isWhole: boolean;
}

type IsMeant = (taking: Pick<Taking, 'visit' | 'hasAllSources'>) => boolean;

export interface Takers {
  /** Whether there is no rule at all that could. */
  readonly isEmpty: boolean;
  /**
   * Rules that take some of the packets or may take them, were no other hook there; of those that are meant only, since
   * what earlier rules have left for each is what takes long to tell.
   */
  of(packets: Packets, isMeant?: IsMeant): readonly Taking[];
  /** Rules that do something to some of the packets, or may, and let them go on. */
  passing(packets: Packets): readonly PassingRule[];
}

export interface PassingRule {
  readonly hook: Hook;
  readonly rule: Rule;
  readonly effect: PassingEffect;
}

/** `hooks`: whose rules are looked at. Rules for some ports of one address are found at once, however many there are. */
export function createTakers(hooks: readonly Hook[]): Takers {
  const indexes = hooks.map((hook) => ({ hook, near: nearby(hook.visits) }));
  return {
    isEmpty: !hooks.some(({ visits }) => visits.some(takes)),
    of(packets, isMeant = () => true) {
      return indexes
        .filter(({ hook }) => hook.family === packets.family)
        .flatMap(({ hook, near }) => takings(hook, near(packets), packets, isMeant));
    },
    passing(packets) {
      return indexes
        .filter(({ hook }) => hook.family === packets.family)
        .flatMap(({ hook, near }) => passingIn(hook, near(packets), packets));
    },
  };
}

function passingIn(hook: Hook, visits: readonly Visit[], packets: Packets): readonly PassingRule[] {
  const { protocol, destination } = packets;
  return visits
    .filter(({ end, match }) => {
      return end === 'passes' && meets(match, protocol, destination) && shared(packets, match).length > 0;
    })
    .flatMap(({ rule }) => (rule.passing === null ? [] : [{ hook, rule, effect: rule.passing.effect }]));
}

/** Targets by which a packet never comes to what is behind them. */
export const ENDING: readonly (string | null)[] = ['DROP', 'REJECT', 'TPROXY'];

function takes({ rule: { target }, end }: Visit): boolean {
  if (end === 'passes') return false;
  return end === 'untracked' || translates(target) || (!target.isChain && ENDING.includes(target.name));
}

/** Those that can concern packets for some ports of an address, in the order in which they are met. */
function nearby(visits: readonly Visit[]): (packets: Packets) => readonly Visit[] {
  /** `null`: rules for several addresses. */
  const byDestination = Map.groupBy(visits.entries(), ([, { match }]) => onlyOf(match.destinations));
  const indexes = new Map(
    Array.from(byDestination, ([destination, entries]) => {
      const byPort = entries.flatMap((entry) => entry[1].match.ports.map((ports) => [ports, entry] as const));
      return [destination, indexIntervals(byPort)];
    }),
  );
  return ({ destination, ports }) => {
    const find = (where: bigint | null) => ports.flatMap((interval) => indexes.get(where)?.(interval) ?? []);
    const entries = [...new Set([...find(null), ...find(destination)])];
    return entries.sort(([a], [b]) => a - b).map(([, visit]) => visit);
  };
}

function takings(hook: Hook, visits: readonly Visit[], packets: Packets, isMeant: IsMeant): readonly Taking[] {
  const { protocol, destination } = packets;
  const earlier = createEarlierRules();
  const found: Taking[] = [];
  for (const visit of visits) {
    earlier.enter(visit.calls);
    const [reached] = meets(visit.match, protocol, destination) ? shared(packets, visit.match) : [];
    if (reached === undefined) continue;
    const hasAllSources = size(reached.sources) === size(packets.sources);
    if (takes(visit) && isMeant({ visit, hasAllSources })) {
      const { pieces, taken, unclear } = earlier.without(protocol, destination, reached);
      const isSure = unclear === null && visit.match.unclear.length === 0 && visit.end !== 'possible';
      const hasAllPorts = size(reached.ports) === size(packets.ports);
      const isWhole = isSure && taken.length === 0 && hasAllSources && hasAllPorts;
      if (pieces.length > 0) found.push({ hook, visit, isSure, hasAllSources, isWhole });
    }
    earlier.add(visit);
  }
  return found;
}

function size(numbers: Piece['ports']): bigint {
  return numbers.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}
