import { type Address, addressOf, addressValue, type Family } from '../model/address.ts';
import { HatobaError } from '../model/errors.ts';
import { type ForwardInput, GATEWAY, parseForwardSpec } from '../model/forward.ts';
import { parseText } from '../model/ids.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Gateways, OutsideAddress } from '../model/router.ts';
import { type Destination, innerPorts, readDestination } from './dnat-target.ts';
import { type EarlierRules, onlyOf, type Piece, type Remainder } from './earlier-rules.ts';
import { addressSpace, type Interval, networksOf } from './intervals.ts';
import { isAlias, type Match, matchesInterface, type Rule } from './iptables-rule.ts';
import type { Visit } from './iptables-walk.ts';

export interface TranslationOptions {
  readonly router: string;
  /** Addresses that become `gateway`, so that the forward follows the router's own; default: none. */
  readonly gateways?: Gateways;
  /** The router's own outside addresses, gateways among them; default: gateways are all that is known. */
  readonly addresses?: readonly OutsideAddress[];
  /** Whether a rule for all addresses of an outside interface becomes a forward for each of them. */
  readonly allAddresses?: boolean;
}

/** The forwards of one rule, or why it has none. */
export type Outcome = Found | Refusal;

interface Found {
  readonly forwards: readonly ForwardInput[];
  /** Rules that report packets of these. */
  readonly observers: readonly Rule[];
}

interface Refusal {
  readonly reason: string;
  /** Whether the rule does nothing at all, so that nothing is lost. */
  readonly isVain: boolean;
}

export function addOutcome(before: Outcome | undefined, next: Outcome): Outcome {
  if (before === undefined) return next;
  if ('reason' in before) return before.isVain ? next : before;
  if ('reason' in next) return next.isVain ? before : next;
  return {
    forwards: [...before.forwards, ...next.forwards],
    observers: [...before.observers, ...next.observers],
  };
}

export function refuse(reason: string, isVain = false): Refusal {
  return { reason, isVain };
}

/** The forwards that do for packets from elsewhere what a translating rule does, as far as `earlier` ones leave any to it. */
export function translateRule(
  visit: Visit,
  earlier: EarlierRules,
  family: Family,
  options: TranslationOptions,
): Outcome {
  const { rule, match } = visit;
  if (rule.text.includes('\n')) return refuse('it has a line break, so that iptables-restore cannot read it');
  const destination = readDestination(rule.target, family);
  if (typeof destination === 'string') return refuse(destination);
  const obstacle = obstacleIn(match);
  if (obstacle !== null) return refuse(obstacle);
  if (isEmpty(match)) return refuse(whyEmpty(match), true);
  if (match.protocols.has('other')) return refuse('it is not only for protocols that have ports, as a forward is');
  const outcomeAt = (external: bigint): Outcome => {
    const way = { family, external: addressOf(family, external), destination, comment: rule.comment, options };
    return [...match.protocols]
      .filter((protocol) => protocol !== 'other')
      .map((protocol) => remaining(earlier.without(protocol, external, match), { ...way, protocol }))
      .reduce(addOutcome);
  };
  if (isEverything(match.destinations, family)) return atOwnAddresses(match, family, options, outcomeAt);
  const externals = match.destinations.map((interval) => onlyOf([interval]));
  const single = externals.filter((external) => external !== null);
  if (single.length < externals.length) return refuse('it is for several addresses, a forward for one');
  return single.map(outcomeAt).reduce(addOutcome);
}

/**
 * A rule without `-d` for packets by an outside interface: which of the router's addresses it is for, the user says.
 * An address of which earlier rules leave nothing does not count.
 */
function atOwnAddresses(
  { interfaces }: Match,
  family: Family,
  { gateways = {}, addresses, allAddresses = false }: TranslationOptions,
  outcomeAt: (external: bigint) => Outcome,
): Outcome {
  const every = 'it is for every address (no -d), a forward for one';
  if (!interfaces.some(({ pattern }) => !isAlias(pattern))) return refuse(every);
  const gateway = gateways[family];
  if (gateway === undefined && !allAddresses) {
    return refuse(`${every}: --follow-gateway makes it one on the router's gateway`);
  }
  const own = (addresses ?? [])
    .filter(
      (each) => each.address.family === family && interfaces.every((one) => matchesInterface(one, each.interface)),
    )
    .map(({ address }) => address);
  const known = addresses === undefined && gateway !== undefined ? [gateway] : own;
  const outcomes = [...new Map(known.map((address) => [address.text, address])).values()].map((address) => {
    return { address, outcome: outcomeAt(addressValue(address)) };
  });
  const met = outcomes.filter(({ outcome }) => !('reason' in outcome && outcome.isVain));
  const list = met.map(({ address }) => address.text).join(', ');
  if (outcomes.length === 0) return refuse(`${every}, and no address of the router is known there`);
  if (!allAddresses && met.length > 1) {
    return refuse(`${every}, and the interface has several (${list}): --all-addresses makes a forward for each`);
  }
  if (!allAddresses && met.some(({ address }) => address.text !== gateway?.text)) {
    return refuse(`${every}, and not for the router's gateway: --all-addresses makes one for ${list}`);
  }
  return outcomes.map(({ outcome }) => outcome).reduce(addOutcome);
}

function remaining({ pieces, taken, unclear, passed }: Remainder, way: Way): Outcome {
  if (unclear !== null) {
    return refuse(`line ${unclear} comes first, and it cannot be told which of its packets that takes`);
  }
  if (pieces.length === 0) return refuse(`line ${taken.join(', ')} comes first, and takes all its packets`, true);
  const changing = passed.find(({ passing }) => passing?.effect === 'changes');
  if (changing !== undefined) {
    const { line, passing } = changing;
    return refuse(`line ${line} does something to its packets (${passing?.by}), which would not meet it any more`);
  }
  const found = printPieces(pieces, way);
  return 'reason' in found ? found : { ...found, observers: passed };
}

/** Why no forward can be for exactly these packets, as far as that shows at once. */
function obstacleIn({ unclear }: Match): string | null {
  const condition = unclear.find(isInterface) ?? unclear[0];
  if (condition === undefined) return null;
  return isInterface(condition)
    ? `it is for packets by certain interfaces (${condition}), a forward for all`
    : `a forward has no condition like ${condition}`;
}

function isEmpty({ protocols, sources, destinations, ports }: Match): boolean {
  return protocols.size === 0 || [sources, destinations, ports].some((numbers) => numbers.length === 0);
}

function whyEmpty({ interfaces }: Match): string {
  const alias = interfaces.find(({ pattern, isNegated }) => isAlias(pattern) && !isNegated);
  return alias === undefined
    ? 'no packet from outside meets all its conditions'
    : `no interface can be called ${alias.pattern}, so no packet meets it: name the address by -d instead`;
}

interface Way {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly external: Address;
  readonly destination: Destination;
  readonly comment: string | null;
  readonly options: TranslationOptions;
}

function printPieces(pieces: readonly Piece[], way: Way): Pick<Found, 'forwards'> | Refusal {
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
  return reason === null ? { forwards } : refuse(reason);
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

function isInterface(condition: string): boolean {
  return /^(! )?-i /.test(condition);
}

function isEverything(addresses: readonly Interval[], family: Family): boolean {
  const [only] = addresses;
  const { last } = addressSpace(family);
  return only?.first === 0n && only.last === last;
}

function printPorts({ first, last }: Interval): string {
  return first === last ? String(first) : `${first}-${last}`;
}
