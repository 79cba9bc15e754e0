import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, ProtocolLimits } from '../model/router.ts';
import type { Problem } from '../model/status.ts';
import { createClaims } from '../program/claims.ts';
import { type Change, diff } from '../program/diff.ts';
import { resolve } from '../program/resolve.ts';
import { isRule, type Program, type Rule, resolveForward } from '../program/rule.ts';

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
  /** Everything that is wanted at `now`; `change` is relative to the program that was applied last. `orphaned`: see `resolve`. */
  planAll(
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
    now?: string,
    orphaned?: ReadonlySet<ForwardId>,
  ): Plan & { readonly program: Program };
  /** The same for these forwards only; `undefined`: they touch others' ports, so that all have to be looked at. */
  planSome(
    ids: ReadonlySet<ForwardId>,
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
    now?: string,
  ): Plan | undefined;
}

export function createApplied(): Applied {
  let program = new Map<ForwardId, Rule>();
  let problems = new Map<ForwardId, Problem>();
  let claims = createClaims();
  /** Whether some forwards lost their port to others, which get it as soon as those give it up. */
  let contested = false;

  function planAll(
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
    now?: string,
    orphaned?: ReadonlySet<ForwardId>,
  ): Plan & { program: Program } {
    const wanted = resolve(forwards.values(), gateways, limits, now, orphaned);
    return {
      program: wanted.program,
      change: diff(program, wanted.program),
      done() {
        program = new Map(wanted.program);
        problems = new Map(wanted.problems);
        contested = wanted.contested;
        claims = createClaims();
        for (const rule of program.values()) claims.add(rule);
      },
    };
  }

  function planSome(
    ids: ReadonlySet<ForwardId>,
    forwards: ReadonlyMap<ForwardId, Forward>,
    gateways: Gateways,
    limits?: ProtocolLimits,
    now?: string,
  ): Plan | undefined {
    const rules = new Map<ForwardId, Rule>();
    const found = new Map<ForwardId, Problem>();
    for (const id of ids) {
      const forward = forwards.get(id);
      const resolved = forward === undefined ? null : resolveForward(forward, gateways, limits, now);
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
    const wanted = createClaims();
    for (const rule of rules.values()) {
      if (claims.overlapping(rule).some(({ forward }) => !ids.has(forward))) return true;
      if (wanted.overlapping(rule).length > 0) return true;
      wanted.add(rule);
    }
    return false;
  }

  function adopt(change: Change, ids: ReadonlySet<ForwardId>, found: ReadonlyMap<ForwardId, Problem>): void {
    for (const rule of change.remove) {
      program.delete(rule.forward);
      claims.remove(rule);
    }
    for (const rule of change.add) {
      program.set(rule.forward, rule);
      claims.add(rule);
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
