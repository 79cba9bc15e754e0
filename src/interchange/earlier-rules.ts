import type { Protocol } from '../model/protocol.ts';
import { createGrowingIndex } from './interval-index.ts';
import { type Intervals, intersect, overlap, subtract } from './intervals.ts';
import type { Match, Rule } from './iptables-rule.ts';
import type { Visit } from './iptables-walk.ts';

/** Packets of one protocol for one address: all of these sources and ports. */
export interface Piece {
  readonly sources: Intervals;
  readonly ports: Intervals;
}

/** What is left of the packets of a rule when the rules before it have had theirs. */
export interface Remainder {
  readonly pieces: readonly Piece[];
  /** Lines of rules that take some. */
  readonly taken: readonly number[];
  /** The line of a rule of which it cannot be told whether it takes some. */
  readonly unclear: number | null;
  /** Rules that do something to some of them, or may, before they go on. */
  readonly passed: readonly Rule[];
}

/** Rules that packets have met before, and that may have ended their way. */
export interface EarlierRules {
  add(visit: Visit): void;
  /** Forgets those by which packets left a chain that the walk has left, too. */
  enter(calls: readonly number[]): void;
  /** `destination`: one address. */
  without(protocol: Protocol, destination: bigint, piece: Piece): Remainder;
}

/** A rule that packets met, but for those that had left its chain before. */
interface Entry {
  readonly visit: Visit;
  readonly missed: readonly Visit[];
  /** Which it was. */
  readonly number: number;
}

export function createEarlierRules(): EarlierRules {
  /** Rules for one port of one address by `protocol address port`, of which there may be thousands. */
  const narrow = new Map<string, readonly Entry[]>();
  /** All others, by their sources: there may be as many that drop somebody's packets. */
  const wide = createGrowingIndex<Entry>();
  /** Those that are not in it yet: it may never be asked. */
  let coming: Entry[] = [];
  let count = 0;
  let left: readonly Visit[] = [];

  function* near(destination: bigint, protocol: Protocol, { ports, sources }: Piece): Iterable<Entry> {
    for (const entry of coming) for (const interval of entry.visit.match.sources) wide.add(interval, entry);
    coming = [];
    const found = new Set(sources.flatMap((interval) => wide.find(interval)));
    yield* [...found].sort((a, b) => a.number - b.number);
    for (const [number, visit] of left.entries()) yield { visit, missed: [], number };
    const only = onlyOf(ports);
    if (only !== null) yield* narrow.get(`${protocol} ${destination} ${only}`) ?? [];
    else for (const entries of narrow.values()) yield* entries;
  }

  return {
    add(visit) {
      if (visit.end === 'untracked') return;
      const { protocols, destinations, ports } = visit.match;
      const entry = { visit, missed: left, number: count++ };
      const [destination, port] = [onlyOf(destinations), onlyOf(ports)];
      if (visit.end === 'leaves') left = [...left, visit];
      else if (destination === null || port === null || protocols.size !== 1) coming.push(entry);
      else {
        const key = `${[...protocols].join()} ${destination} ${port}`;
        narrow.set(key, [...(narrow.get(key) ?? []), entry]);
      }
    },

    enter(calls) {
      if (left.length > 0) left = left.filter((visit) => calls.includes(visit.calls.at(-1) ?? 0));
    },

    without(protocol, destination, piece) {
      const taken = new Set<number>();
      const passing: Entry[] = [];
      let pieces: readonly Piece[] = [piece];
      for (const entry of near(destination, protocol, piece)) {
        const { visit, missed } = entry;
        const { match, rule, end } = visit;
        if (!meets(match, protocol, destination)) continue;
        if (end === 'passes') {
          passing.push(entry);
          continue;
        }
        const reached = pieces.flatMap((one) => shared(one, match));
        if (reached.length === 0) continue;
        const others = missed.filter((other) => meets(other.match, protocol, destination));
        const isUnclear = [visit, ...others].some((one) => {
          return one.match.unclear.length > 0 && reached.some((each) => shared(each, one.match).length > 0);
        });
        if (end === 'possible' || isUnclear) return { pieces, taken: [...taken], unclear: rule.line, passed: [] };
        taken.add(rule.line);
        const passed = divide(
          reached,
          others.map((other) => other.match),
        ).inside;
        pieces = [...divide(pieces, [match]).outside, ...passed];
      }
      const passed = passing.filter((entry) => mayPass(pieces, entry, protocol, destination));
      return { pieces, taken: [...taken], unclear: null, passed: passed.map(({ visit }) => visit.rule) };
    },
  };
}

/** Whether some of the packets come to the rule, and have not left its chain before for certain. */
function mayPass(pieces: readonly Piece[], entry: Entry, protocol: Protocol, destination: bigint): boolean {
  const { visit, missed } = entry;
  const certain = missed.filter(({ match }) => match.unclear.length === 0 && meets(match, protocol, destination));
  const reached = pieces.flatMap((one) => shared(one, visit.match));
  return (
    divide(
      reached,
      certain.map(({ match }) => match),
    ).outside.length > 0
  );
}

/** Whether the protocol and the address are among those of the match. */
export function meets({ protocols, destinations }: Match, protocol: Protocol, destination: bigint): boolean {
  return protocols.has(protocol) && overlap(destinations, [{ first: destination, last: destination }]);
}

/** Which of the packets are in one of the areas, and which in none; no packet is in two pieces. */
function divide(
  pieces: readonly Piece[],
  areas: readonly Piece[],
): { inside: readonly Piece[]; outside: readonly Piece[] } {
  const inside: Piece[] = [];
  let outside = pieces;
  for (const area of areas) {
    inside.push(...outside.flatMap((one) => shared(one, area)));
    outside = outside.flatMap((one) => cut(one, area));
  }
  return { inside, outside };
}

/** The packets that both have; none, or one piece. */
export function shared(a: Piece, b: Piece): readonly Piece[] {
  const [ports, sources] = [intersect(a.ports, b.ports), intersect(a.sources, b.sources)];
  return ports.length > 0 && sources.length > 0 ? [{ ports, sources }] : [];
}

/** The piece without the area: other ports, and the same ports for other sources. */
function cut(piece: Piece, area: Piece): readonly Piece[] {
  const [common] = shared(piece, area);
  if (common === undefined) return [piece];
  const pieces = [
    { sources: piece.sources, ports: subtract(piece.ports, area.ports) },
    { sources: subtract(piece.sources, area.sources), ports: common.ports },
  ];
  return pieces.filter((one) => one.ports.length > 0 && one.sources.length > 0);
}

/** The only number in the set; null: there is none, or there are more. */
export function onlyOf(numbers: Intervals): bigint | null {
  const [interval, ...others] = numbers;
  return interval !== undefined && others.length === 0 && interval.first === interval.last ? interval.first : null;
}
