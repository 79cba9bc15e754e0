import { parseCidr } from '../model/cidr.ts';
import type { ForwardInput } from '../model/forward.ts';
import { type Intervals, networksOf, unite } from './intervals.ts';

/** A forward, and the lines of the rules that it stands for. */
export interface TakenForward {
  readonly forward: ForwardInput;
  readonly lines: readonly number[];
}

/** Neighbours that differ in their sources only as one: iptables knows one source a rule, and prints lists as several. */
export function withJoinedSources(taken: readonly TakenForward[]): readonly TakenForward[] {
  const joined: TakenForward[] = [];
  for (const next of taken) {
    const before = joined.at(-1);
    const both = before === undefined ? null : join(before, next);
    if (both === null) joined.push(next);
    else joined[joined.length - 1] = both;
  }
  return joined;
}

function join(a: TakenForward, b: TakenForward): TakenForward | null {
  const [sources, more] = [a.forward.sources ?? [], b.forward.sources ?? []];
  if (sources.length === 0 || more.length === 0 || withoutSources(a.forward) !== withoutSources(b.forward)) return null;
  const family = parseCidr(sources[0] ?? '').family;
  const together = networksOf(family, unite(intervalsOf(sources), intervalsOf(more)));
  return { forward: { ...a.forward, sources: together }, lines: [...new Set([...a.lines, ...b.lines])] };
}

function withoutSources(forward: ForwardInput): string {
  return JSON.stringify({ ...forward, sources: [] });
}

function intervalsOf(sources: readonly string[]): Intervals {
  return sources.map((text) => parseCidr(text));
}
