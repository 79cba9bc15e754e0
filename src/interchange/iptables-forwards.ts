import { createEarlierRules } from './earlier-rules.ts';
import { type DumpRule, type DumpTable, readDump } from './iptables-dump.ts';
import { optionsOf, splitOptions } from './iptables-options.ts';
import { type Rule, translates } from './iptables-rule.ts';
import { walk } from './iptables-walk.ts';
import { type TakenForward, withJoinedSources } from './joined-sources.ts';
import { addOutcome, type Outcome, refuse, type TranslationOptions, translateRule } from './rule-translation.ts';

export interface DumpOptions extends TranslationOptions {
  /** For messages. */
  readonly file: string;
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

/** A rule that stays and that packets of forwards no longer meet. */
export interface BypassedRule extends LeftRule {
  /** Lines of the rules that become these forwards. */
  readonly by: readonly number[];
}

export interface DumpForwards {
  readonly taken: readonly TakenForward[];
  readonly left: readonly LeftRule[];
  /** Rules that only report packets; what any other rule does to them is a reason against a forward. */
  readonly bypassed: readonly BypassedRule[];
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
    bypassed: results.flatMap(({ bypassed }) => bypassed),
    foreign: results.reduce((sum, { foreign }) => sum + foreign, 0),
    owners: results.flatMap(({ owners }) => owners),
  };
}

function forwardsOfTable(table: DumpTable, options: DumpOptions): DumpForwards {
  const outcomes = outcomesOf(table, options);
  const { ownerOf = ownerInNeutron } = options;
  const rules = [...table.chains.values()].flat().filter((rule) => isTranslating(rule, table));
  const own = rules.filter((rule) => ownerOf(rule) === null).sort((a, b) => a.line - b.line);
  const told = own.map((rule) => ({ rule, outcome: outcomes.get(rule.line) ?? refuse(unreached(rule)) }));
  return {
    taken: told.flatMap(({ rule, outcome }) => {
      return 'reason' in outcome ? [] : outcome.forwards.map((forward) => ({ forward, lines: [rule.line] }));
    }),
    left: [
      ...table.replaced
        .filter((rule) => isTranslating(rule, table) && ownerOf(rule) === null)
        .map(({ line, text }) => ({ line, text, reason: REPLACED })),
      ...told.flatMap(({ rule: { line, text }, outcome }) => {
        return 'reason' in outcome ? [{ line, text, reason: outcome.reason }] : [];
      }),
    ],
    bypassed: bypassedBy(told),
    foreign: rules.length - own.length,
    owners: rules.flatMap((rule) => ownerOf(rule) ?? []),
  };
}

function bypassedBy(told: readonly { readonly rule: DumpRule; readonly outcome: Outcome }[]): readonly BypassedRule[] {
  const observers = new Map<number, { rule: Rule; by: number[] }>();
  for (const { rule, outcome } of told) {
    for (const observer of 'reason' in outcome ? [] : outcome.observers) {
      const known = observers.get(observer.line);
      if (known === undefined) observers.set(observer.line, { rule: observer, by: [rule.line] });
      else if (known.by.at(-1) !== rule.line) known.by.push(rule.line);
    }
  }
  return [...observers.values()]
    .sort((a, b) => a.rule.line - b.rule.line)
    .map(({ rule: { line, text }, by }) => ({ line, text, by, reason: BYPASSED }));
}

/** Why a rule that stays is named. */
export const BYPASSED = 'packets of the forwards no longer come to it, since forwards come first';

const REPLACED = 'a later table nat in the file replaces its table, and does not have it';

/** By line. A rule that several ways lead to is taken over on all of them, or not at all. */
function outcomesOf(table: DumpTable, options: DumpOptions): ReadonlyMap<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  const earlier = createEarlierRules();
  const context = { family: table.family, outside: options.outside ?? [], isNat: true };
  for (const visit of walk(options.file, table, context)) {
    const { rule, end } = visit;
    earlier.enter(visit.calls);
    if (end !== 'passes' && translates(rule.target) && (options.ownerOf ?? ownerInNeutron)(rule) === null) {
      outcomes.set(
        rule.line,
        addOutcome(outcomes.get(rule.line), translateRule(visit, earlier, table.family, options)),
      );
    }
    earlier.add(visit);
  }
  return outcomes;
}

function unreached({ chain }: DumpRule): string {
  return chain === 'OUTPUT'
    ? 'it is for packets of the router itself, a forward for those that arrive'
    : `no rule of PREROUTING leads to its chain ${chain}`;
}

function isTranslating(rule: DumpRule, { chains }: DumpTable): boolean {
  const { jump } = splitOptions(optionsOf(rule.words), (name) => chains.has(name));
  const [name = ''] = jump?.values ?? [];
  return translates({ name, isChain: chains.has(name) });
}

const ownerInNeutron: OwnerOf = ({ chain }) => {
  return chain.startsWith('neutron-') ? 'Neutron' : null;
};
