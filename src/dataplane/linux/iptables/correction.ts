import type { Family } from '../../../model/address.ts';
import { CHAINS, JUMPS, MASQUERADE, type NatRule, printRule, TRANSLATE } from './rules.ts';
import { readRules, type SavedRule, type SavedTable } from './saved.ts';

/** What the table nat is to have of ours. */
export interface Wanted {
  readonly rules: readonly NatRule[];
  /** As `printMasquerade` gives them. */
  readonly masquerade: readonly string[];
}

/** One input for `iptables-restore`. */
export interface Script {
  /** Commands within the table; none: nothing is to be done. */
  readonly lines: readonly string[];
  /** What then leads flows no more, and what does so from then on. */
  readonly removed: readonly NatRule[];
  readonly added: readonly NatRule[];
  /** How much was wrong. */
  readonly count: number;
}

export const NOTHING: Script = { lines: [], removed: [], added: [], count: 0 };

/**
 * To find a rule that is to be removed, iptables compares it with all of its chain, at a microsecond each; with more
 * comparisons than this, rules are removed by their numbers. Writing the whole chain anew would be as fast, but
 * ip6tables-nft 1.8.9 drops the counters that it is given.
 */
const MOST_COMPARISONS = 100_000;

/** The smallest step from what is there to what is wanted. Rules that stay keep their counters. */
export function correct(found: SavedTable, wanted: Wanted, family: Family): Script {
  const jumps = jumpLines(found);
  const masquerade = masqueradeLines(found, wanted.masquerade);
  const rules = ruleLines(found, wanted.rules, family);
  return {
    lines: [...chainLines(found), ...jumps.lines, ...masquerade.lines, ...rules.lines],
    removed: rules.removed,
    added: rules.added,
    count: jumps.count + masquerade.count + rules.count,
  };
}

/** Takes everything of ours out of it. */
export function removal(found: SavedTable, family: Family): Script {
  const ours = CHAINS.filter((chain) => found.chains.has(chain));
  if (ours.length === 0) return NOTHING;
  const jumps = JUMPS.flatMap(({ from, to }) =>
    rulesIn(found, from)
      .filter(({ text }) => text === `-j ${to}`)
      .map(({ text }) => `-D ${from} ${text}`),
  );
  const removed = [...readRules(rulesIn(found, TRANSLATE), family).rules.values()].map(({ rule }) => rule);
  const lines = [...jumps, ...ours.map((chain) => `-F ${chain}`), ...ours.map((chain) => `-X ${chain}`)];
  return { lines, removed, added: [], count: 1 };
}

function rulesIn({ chains }: SavedTable, chain: string): readonly SavedRule[] {
  return chains.get(chain) ?? [];
}

function chainLines({ chains }: SavedTable): readonly string[] {
  return CHAINS.filter((chain) => !chains.has(chain)).map(emptied);
}

/** With `--noflush`, this makes a chain or empties it. */
function emptied(chain: string): string {
  return `:${chain} - [0:0]`;
}

function jumpLines(found: SavedTable): Pick<Script, 'lines' | 'count'> {
  const lines = JUMPS.flatMap(({ from, to, first }) => {
    const jump = `-j ${to}`;
    const places = rulesIn(found, from).flatMap(({ text }, index) => (text === jump ? [index] : []));
    if (places.length === 1 && (!first || places[0] === 0)) return [];
    const before = places.map(() => `-D ${from} ${jump}`);
    return [[...before, first ? `-I ${from} 1 ${jump}` : `-A ${from} ${jump}`]];
  });
  return { lines: lines.flat(), count: lines.length };
}

function masqueradeLines(found: SavedTable, wanted: readonly string[]): Pick<Script, 'lines' | 'count'> {
  const present = rulesIn(found, MASQUERADE).map(({ text }) => text);
  if (present.length === wanted.length && wanted.every((text, index) => text === present[index])) {
    return { lines: [], count: 0 };
  }
  return { lines: [emptied(MASQUERADE), ...wanted.map((text) => `-A ${MASQUERADE} ${text}`)], count: 1 };
}

function ruleLines(found: SavedTable, wanted: readonly NatRule[], family: Family): Script {
  const saved = rulesIn(found, TRANSLATE);
  const { rules: present, strange } = readRules(saved, family);
  const texts = new Map(wanted.map((rule) => [printRule(rule), rule]));
  const gone = [...present.values()].filter(({ rule }) => !texts.has(printRule(rule)));
  const come = [...texts].filter(([text]) => !present.has(text));
  const superfluous = [...gone, ...strange];
  const isMuch = superfluous.length * saved.length > MOST_COMPARISONS;
  // What a stranger has written, iptables may not read again as it prints it.
  const removals = strange.length > 0 || isMuch ? byNumber(superfluous) : superfluous.map(({ text }) => text);
  return {
    lines: [...removals.map((which) => `-D ${TRANSLATE} ${which}`), ...come.map(([text]) => `-A ${TRANSLATE} ${text}`)],
    removed: gone.map(({ rule }) => rule),
    added: come.map(([, rule]) => rule),
    count: Math.max(superfluous.length, come.length),
  };
}

/** From the last to the first, so that none changes the number of another. */
function byNumber(rules: readonly SavedRule[]): readonly number[] {
  return rules.map(({ number }) => number).sort((a, b) => b - a);
}
