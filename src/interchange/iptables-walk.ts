import type { Family } from '../model/address.ts';
import { hatobaError } from '../model/errors.ts';
import type { DumpTable } from './iptables-dump.ts';
import { anyPacket, both, type Match, type Rule, type RuleContext, readRule, untracks } from './iptables-rule.ts';
import { PASSING } from './passing-rules.ts';

/** One rule as packets come to it; in the order in which they do. */
export interface Visit {
  readonly rule: Rule;
  /** What both the rule and the way to it are for. */
  readonly match: Match;
  /**
   * What becomes of such a packet: its way ends here for certain, or perhaps, or it has left this chain and comes
   * back to one above, or it goes on untracked, or it goes on and the rule has done something (`rule.passing`).
   */
  readonly end: 'certain' | 'possible' | 'leaves' | 'untracked' | 'passes';
  /**
   * The calls of chains that lead here, each with a number of its own, the last one that of the rule's chain. Packets
   * that leave are missed as long as that call lasts.
   */
  readonly calls: readonly number[];
}

/** Targets after which a packet does not go on to the next rule. */
const FINAL = new Set(['ACCEPT', 'DNAT', 'DROP', 'NETMAP', 'QUEUE', 'REDIRECT', 'REJECT']);

/** Chains that lead to each other can make the walk exponentially long. */
const LONGEST_WALK = 500_000;

/** A chain on its way from the first one. */
interface Call {
  readonly chain: string;
  readonly number: number;
}

/** The name of the chain where packets from elsewhere begin. */
const START = 'PREROUTING';

/**
 * The way of a packet that comes from elsewhere, through all rules it may meet. Error: `file_malformed` for chains
 * that cannot be followed to an end.
 */
export function walk(file: string, table: DumpTable, context: RuleContext): readonly Visit[] {
  const known = new Map<string, readonly Rule[]>();
  const isChain = (name: string) => table.chains.has(name);
  return walkChains(file, START, context.family, (chain) => {
    const rules = known.get(chain) ?? table.chains.get(chain)?.map((rule) => readRule(rule, context, isChain));
    if (rules !== undefined) known.set(chain, rules);
    return rules;
  });
}

/** The same through chains of whatever program. `rulesOf`: `undefined` where there is no such chain. */
export function walkChains(
  file: string,
  start: string,
  family: Family,
  rulesOf: (chain: string) => readonly Rule[] | undefined,
): readonly Visit[] {
  const visits: Visit[] = [];
  let count = 0;

  function follow(chain: string, way: Match, above: readonly Call[]): void {
    if (above.some((call) => call.chain === chain)) throw malformed(`the chain ${chain} leads back to itself`);
    const calls = [...above, { chain, number: count }];
    for (const rule of rulesOf(chain) ?? []) meet(rule, way, calls);
  }

  function meet(rule: Rule, way: Match, above: readonly Call[]): void {
    count++;
    if (count > LONGEST_WALK) throw malformed('its chains branch too often');
    const { name, isChain, isGoto } = rule.target;
    const match = both(way, rule.match);
    const leaving = above.length === 1 ? 'certain' : 'leaves';
    const calls = above.map(({ number }) => number);
    const end = (how: Visit['end']) => visits.push({ rule, match, end: how, calls });
    if (rule.passing !== null) visits.push({ rule, match: both(way, rule.passing.match), end: 'passes', calls });
    if (untracks(rule.target)) end('untracked');
    if (isChain && name !== null && rulesOf(name) !== undefined) {
      follow(name, match, above);
      if (isGoto) end(leaving);
    } else if (name === 'RETURN') end(leaving);
    else if (name !== null && !PASSING.has(name)) end(FINAL.has(name) ? 'certain' : 'possible');
  }

  function malformed(reason: string): Error {
    return hatobaError('file_malformed', { file, reason });
  }

  follow(start, anyPacket(family), []);
  return visits;
}
