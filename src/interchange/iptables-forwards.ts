import { type Address, addressOf, type Family } from '../model/address.ts';
import { HatobaError } from '../model/errors.ts';
import { type ForwardInput, GATEWAY, parseForwardSpec } from '../model/forward.ts';
import { parseText } from '../model/ids.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Gateways } from '../model/router.ts';
import { type Destination, innerPorts, readDestination } from './dnat-target.ts';
import { createEarlierRules, type EarlierRules, onlyOf, type Piece, type Remainder } from './earlier-rules.ts';
import { addressSpace, type Interval, networksOf } from './intervals.ts';
import { type DumpRule, type DumpTable, readDump } from './iptables-dump.ts';
import { type Match, targetOf } from './iptables-rule.ts';
import { type Visit, walk } from './iptables-walk.ts';
import { type TakenForward, withJoinedSources } from './joined-sources.ts';

export interface DumpOptions {
  /** For messages. */
  readonly file: string;
  readonly router: string;
  /** Addresses that become `gateway`, so that the forward follows the router's own; default: none. */
  readonly gateways?: Gateways;
  /**
   * Beginnings of the names of the router's outside interfaces. With them, a rule for packets that come in there
   * (`-i`) counts as one for all, and one for others not at all; default: such rules are not taken over.
   */
  readonly outside?: readonly string[];
  /** Which program looks after the rule, so that it is not taken over; default: Neutron's own. */
  readonly ownerOf?: OwnerOf;
}

export type OwnerOf = (rule: Pick<DumpRule, 'chain' | 'text'>) => string | null;

/** A rule that no forward stands for, and why. */
export interface LeftRule {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface DumpForwards {
  readonly taken: readonly TakenForward[];
  readonly left: readonly LeftRule[];
  /** How many a program looks after. */
  readonly foreign: number;
  /** The program, for each of them. */
  readonly owners: readonly string[];
}

/**
 * The forwards that do for packets from elsewhere what the DNAT rules of a dump do: every rule is either taken over
 * exactly, the rules before it considered, or named with the reason. Error: `file_malformed` for what is no dump.
 */
export function forwardsOfDump(text: string, options: DumpOptions): DumpForwards {
  const results = readDump(options.file, text).map((table) => forwardsOfTable(table, options));
  return {
    taken: results.flatMap(({ taken }) => withJoinedSources(taken)),
    left: results.flatMap(({ left }) => left),
    foreign: results.reduce((sum, { foreign }) => sum + foreign, 0),
    owners: results.flatMap(({ owners }) => owners),
  };
}

/** Targets that change where a packet goes. */
export const TRANSLATING: readonly (string | null)[] = ['DNAT', 'REDIRECT', 'NETMAP'];

/** The forwards of one rule, or why it has none. */
type Outcome = readonly ForwardInput[] | Refusal;

interface Refusal {
  readonly reason: string;
  /** Whether the rule does nothing at all, so that nothing is lost. */
  readonly isVain: boolean;
}

function forwardsOfTable(table: DumpTable, options: DumpOptions): DumpForwards {
  const outcomes = outcomesOf(table, options);
  const { ownerOf = ownerInNeutron } = options;
  const rules = [...table.chains.values()].flat().filter(isTranslating);
  const own = rules.filter((rule) => ownerOf(rule) === null).sort((a, b) => a.line - b.line);
  const told = own.map((rule) => ({ rule, outcome: outcomes.get(rule.line) ?? refuse(unreached(rule)) }));
  return {
    taken: told.flatMap(({ rule, outcome }) => {
      return 'reason' in outcome ? [] : outcome.map((forward) => ({ forward, lines: [rule.line] }));
    }),
    left: told.flatMap(({ rule: { line, text }, outcome }) => {
      return 'reason' in outcome ? [{ line, text, reason: outcome.reason }] : [];
    }),
    foreign: rules.length - own.length,
    owners: rules.flatMap((rule) => ownerOf(rule) ?? []),
  };
}

/** By line. A rule that several ways lead to is taken over on all of them, or not at all. */
function outcomesOf(table: DumpTable, options: DumpOptions): ReadonlyMap<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  const earlier = createEarlierRules();
  for (const visit of walk(options.file, table, { family: table.family, outside: options.outside ?? [] })) {
    const { rule } = visit;
    earlier.enter(visit.calls);
    if (TRANSLATING.includes(rule.target.name) && (options.ownerOf ?? ownerInNeutron)(rule) === null) {
      outcomes.set(rule.line, add(outcomes.get(rule.line), translate(visit, earlier, table.family, options)));
    }
    earlier.add(visit);
  }
  return outcomes;
}

function add(before: Outcome | undefined, next: Outcome): Outcome {
  if (before === undefined) return next;
  if ('reason' in before) return before.isVain ? next : before;
  if ('reason' in next) return next.isVain ? before : next;
  return [...before, ...next];
}

function refuse(reason: string, isVain = false): Refusal {
  return { reason, isVain };
}

function translate({ rule, match }: Visit, earlier: EarlierRules, family: Family, options: DumpOptions): Outcome {
  if (rule.text.includes('\n')) return refuse('it has a line break, so that iptables-restore cannot read it');
  const destination = readDestination(rule.target, family);
  if (typeof destination === 'string') return refuse(destination);
  const obstacle = obstacleIn(match, family);
  if (obstacle !== null) return refuse(obstacle);
  if (isEmpty(match)) return refuse('no packet from outside meets all its conditions', true);
  const outside = onlyOf(match.destinations);
  if (outside === null) return refuse('it is for several addresses, a forward for one');
  if (match.protocols.has('other')) return refuse('it is not only for protocols that have ports, as a forward is');
  const way = { family, external: addressOf(family, outside), destination, comment: rule.comment, options };
  return [...match.protocols]
    .filter((protocol) => protocol !== 'other')
    .map((protocol) => remaining(earlier.without(protocol, outside, match), { ...way, protocol }))
    .reduce(add);
}

function remaining({ pieces, taken, unclear }: Remainder, way: Way): Outcome {
  if (unclear !== null) {
    return refuse(`line ${unclear} comes first, and it cannot be told which of its packets that takes`);
  }
  if (pieces.length === 0) return refuse(`line ${taken.join(', ')} comes first, and takes all its packets`, true);
  return printPieces(pieces, way);
}

/** Why no forward can be for exactly these packets, as far as that shows at once. */
function obstacleIn({ unclear, destinations }: Match, family: Family): string | null {
  const [condition] = unclear;
  if (condition !== undefined) {
    return isInterface(condition)
      ? `it is for packets by certain interfaces (${condition}), a forward for all`
      : `a forward has no condition like ${condition}`;
  }
  return isEverything(destinations, family) ? 'it is for every address (no -d), a forward for one' : null;
}

function isEmpty({ protocols, sources, destinations, ports }: Match): boolean {
  return protocols.size === 0 || [sources, destinations, ports].some((numbers) => numbers.length === 0);
}

interface Way {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly external: Address;
  readonly destination: Destination;
  readonly comment: string | null;
  readonly options: DumpOptions;
}

function printPieces(pieces: readonly Piece[], way: Way): Outcome {
  const { router, gateways } = way.options;
  const forwards: ForwardInput[] = [];
  for (const { sources, ports } of pieces) {
    for (const outer of ports) {
      const inner = innerPorts(way.destination, outer);
      if (typeof inner === 'string') return refuse(inner);
      forwards.push({
        router,
        ...describe(way.comment),
        protocol: way.protocol,
        external_address: gateways?.[way.family]?.text === way.external.text ? GATEWAY : way.external.text,
        external_port: printPorts(outer),
        internal_address: way.destination.address,
        internal_port: printPorts(inner),
        sources: isEverything(sources, way.family) ? [] : networksOf(way.family, sources),
      });
    }
  }
  const reason = refusalOf(forwards);
  return reason === null ? forwards : refuse(reason);
}

/** What a forward cannot be at all, such as one to a loopback address. */
function refusalOf(forwards: readonly ForwardInput[]): string | null {
  try {
    for (const forward of forwards) parseForwardSpec(forward);
    return null;
  } catch (error) {
    if (error instanceof HatobaError) return error.message;
    throw error;
  }
}

function describe(comment: string | null): Pick<ForwardInput, 'description'> {
  try {
    return comment === null || comment === '' ? {} : { description: parseText(comment) };
  } catch {
    // A comment is no part of what the rule does.
    return {};
  }
}

function unreached({ chain }: DumpRule): string {
  return chain === 'OUTPUT'
    ? 'it is for packets of the router itself, a forward for those that arrive'
    : `no rule of PREROUTING leads to its chain ${chain}`;
}

function isTranslating(rule: DumpRule): boolean {
  return TRANSLATING.includes(targetOf(rule));
}

const ownerInNeutron: OwnerOf = ({ chain }) => {
  return chain.startsWith('neutron-') ? 'Neutron' : null;
};

function isInterface(condition: string): boolean {
  return /^(! )?(-i|--in-interface) /.test(condition);
}

function isEverything(addresses: readonly Interval[], family: Family): boolean {
  const [only] = addresses;
  const { last } = addressSpace(family);
  return only?.first === 0n && only.last === last;
}

function printPorts({ first, last }: Interval): string {
  return first === last ? String(first) : `${first}-${last}`;
}
