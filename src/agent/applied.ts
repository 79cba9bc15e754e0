import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, ProtocolLimits } from '../model/router.ts';
import type { Problem } from '../model/status.ts';
import { type Change, diff } from '../program/diff.ts';
import { resolve } from '../program/resolve.ts';
import { isRule, matchOf, type Program, type Rule, resolveForward } from '../program/rule.ts';

/** What to do to a router now, and what then holds. */
export interface Plan {
  readonly change: Change;
  /** Makes it known that the change is in the kernel. */
  readonly done: () => void;
}

/**
 * What one instance was given, so that a change of few forwards costs as much as those, not as all.
 * Not to be read between a plan and its `done`.
 */
export interface Applied {
  readonly program: Program;
  readonly problems: ReadonlyMap<ForwardId, Problem>;
  /** Everything that is wanted; `change` is relative to the program that was applied last. */
  planAll(
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
  ): Plan & { readonly program: Program };
  /** The same for these forwards only; `undefined`: they touch others' ports, so that all have to be looked at. */
  planSome(
    ids: ReadonlySet<ForwardId>,
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
  ): Plan | undefined;
}

export function createApplied(): Applied {
  let program = new Map<ForwardId, Rule>();
  let problems = new Map<ForwardId, Problem>();
  let owners = new Map<string, ForwardId>();
  /** Whether some forwards lost their port to others, which get it as soon as those give it up. */
  let contested = false;

  function planAll(
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
  ): Plan & { program: Program } {
    const wanted = resolve(forwards.values(), gateways, limits);
    return {
      program: wanted.program,
      change: diff(program, wanted.program),
      done() {
        program = new Map(wanted.program);
        problems = new Map(wanted.problems);
        contested = wanted.contested;
        owners = new Map([...program.values()].map((rule) => [matchOf(rule), rule.forward]));
      },
    };
  }

  function planSome(
    ids: ReadonlySet<ForwardId>,
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
  ): Plan | undefined {
    const rules = new Map<ForwardId, Rule>();
    const found = new Map<ForwardId, Problem>();
    for (const id of ids) {
      const forward = forwards.get(id);
      const resolved = forward === undefined ? null : resolveForward(forward, gateways, limits);
      if (isRule(resolved)) rules.set(id, resolved);
      else if (resolved !== null) found.set(id, resolved);
    }
    if (displacesOthers(rules, ids)) return undefined;
    const change = diff(program, rules, ids);
    return { change, done: () => adopt(change, ids, found) };
  }

  /** Two forwards that want one port are a matter for `resolve`. */
  function displacesOthers(rules: ReadonlyMap<ForwardId, Rule>, ids: ReadonlySet<ForwardId>): boolean {
    if (contested) return true;
    const wanted = new Set<string>();
    for (const rule of rules.values()) {
      const match = matchOf(rule);
      const owner = owners.get(match);
      if (wanted.has(match) || (owner !== undefined && !ids.has(owner))) return true;
      wanted.add(match);
    }
    return false;
  }

  function adopt(change: Change, ids: ReadonlySet<ForwardId>, found: ReadonlyMap<ForwardId, Problem>): void {
    for (const rule of change.remove) {
      program.delete(rule.forward);
      owners.delete(matchOf(rule));
    }
    for (const rule of change.add) {
      program.set(rule.forward, rule);
      owners.set(matchOf(rule), rule.forward);
    }
    for (const id of ids) problems.delete(id);
    for (const [id, problem] of found) problems.set(id, problem);
  }

  return {
    get program() {
      return program;
    },
    get problems() {
      return problems;
    },
    planAll,
    planSome,
  };
}
