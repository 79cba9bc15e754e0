import { type Hook, hooksOf } from './rule-hooks.ts';
import { isOurChain } from './rule-owners.ts';
import { createTakers, ENDING, type Outside, packetsOf, type Taking } from './rule-takers.ts';
import type { RuleTexts } from './rule-texts.ts';

/** How forwards stand to the rules that others have in the same place. */
export interface Shadowing {
  /** Whether there is no rule at all that could shadow a forward or be shadowed by one. */
  readonly isEmpty: boolean;
  /** What a forward with this outside shadows or is shadowed by, each with the text of the rule; at most a few. */
  warningsFor(outside: Outside): readonly string[];
}

/** One broad forward can stand before thousands of rules. */
const MOST = 5;

/**
 * `priority`: where forwards are among the hooks, unless they are in chains of ours among the rules themselves.
 * Error: `file_malformed` for rules without an end.
 */
export function createShadowing(texts: RuleTexts, priority: number): Shadowing {
  const hooks = hooksOf(texts);
  const own = hooks.find((hook) => hook.isNat && firstOfOurs(hook) >= 0)?.priority ?? priority;
  const earlier = createTakers(hooks.flatMap((hook) => before(hook, own)));
  const later = createTakers(hooks.flatMap((hook) => behind(hook, own)));
  return {
    isEmpty: earlier.isEmpty && later.isEmpty,
    warningsFor(outside) {
      const packets = packetsOf(outside);
      // Those before come first, since they keep the forward from working.
      const told = [
        ...earlier.of(packets, couldShadow).filter(isShadow).map(shadowedBy),
        ...later.of(packets).map(shadows),
      ];
      return told.length > MOST ? [...told.slice(0, MOST), `and ${told.length - MOST} more rules`] : told;
    },
  };
}

/** The part of the hook that packets meet before they come to forwards. */
function before(hook: Hook, own: number): readonly Hook[] {
  const first = firstOfOurs(hook);
  if (first >= 0) return [{ ...hook, visits: hook.visits.slice(0, first) }];
  return hook.priority <= own ? [hook] : [];
}

/** The part behind them, as far as it could translate. */
function behind(hook: Hook, own: number): readonly Hook[] {
  const first = firstOfOurs(hook);
  if (first < 0) return hook.isNat && hook.priority > own ? [hook] : [];
  return [{ ...hook, visits: hook.visits.slice(first).filter(({ rule }) => !isOurChain(rule.chain)) }];
}

function firstOfOurs({ visits }: Hook): number {
  return visits.findIndex(({ rule }) => isOurChain(rule.chain));
}

/** A rule that drops some sources, or odd packets, is a firewall: that is what it is for. */
function couldShadow({ visit, hasAllSources }: Pick<Taking, 'visit' | 'hasAllSources'>): boolean {
  return hasAllSources || !drops(visit);
}

function isShadow({ visit, isSure }: Taking): boolean {
  return isSure || !drops(visit);
}

function drops({ rule, end }: Taking['visit']): boolean {
  return end === 'untracked' || ENDING.includes(rule.target.name);
}

function shadowedBy({ hook, visit, isWhole }: Taking): string {
  return `shadowed${isWhole ? '' : ' for some packets'} by a rule of ${hook.name}: ${visit.rule.text}`;
}

function shadows({ hook, visit }: Taking): string {
  return `shadows a rule of ${hook.name}: ${visit.rule.text}`;
}
