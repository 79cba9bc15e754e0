import { printEndpoint } from '../model/address.ts';
import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { printPortRange } from '../model/port-range.ts';
import type { Gateways, ProtocolLimits } from '../model/router.ts';
import type { Problem } from '../model/status.ts';
import { createClaims } from './claims.ts';
import { isRule, type Program, type Rule, resolveForward } from './rule.ts';

export interface Resolution {
  readonly program: Program;
  /** Forwards that are wanted and yet not part of the program. */
  readonly problems: ReadonlyMap<ForwardId, Problem>;
  /** Whether some forward lost its port to another, which it gets as soon as that one gives it up. */
  readonly contested: boolean;
}

/**
 * The program of a router. Where a gateway address has become one that another forward names outright,
 * two forwards want the same port: the older one has it, the other gets a problem that says so. `limits`, `now`: as
 * for `resolveForward`. `orphaned`: those of `forwards` that no store knows; a problem says where one of them is in the way.
 */
export function resolve(
  forwards: Iterable<Forward>,
  gateways: Gateways,
  limits: ProtocolLimits = {},
  now = '',
  orphaned: ReadonlySet<ForwardId> = new Set(),
): Resolution {
  const rules: { forward: Forward; rule: Rule }[] = [];
  const problems = new Map<ForwardId, Problem>();
  for (const forward of forwards) {
    const rule = resolveForward(forward, gateways, limits, now);
    if (isRule(rule)) rules.push({ forward, rule });
    else if (rule !== null) problems.set(forward.id, rule);
  }
  const { program, losers } = settle(rules.map(({ rule }) => rule));
  if (losers.length === 0) return { program, problems, contested: false };
  const byAge = rules.sort((a, b) => compareAge(a.forward, b.forward));
  const settled = settle(byAge.map(({ rule }) => rule));
  for (const { rule, winners } of settled.losers) {
    const { forward, externalPorts, external, protocol } = rule;
    const place = `${protocol} ${printEndpoint(external.text, printPortRange(externalPorts))}`;
    const isOrphans = winners.some((winner) => orphaned.has(winner.forward));
    const other = isOrphans ? 'an orphaned forward in the kernel' : 'another forward';
    problems.set(forward, { state: 'error', message: `${other} already has ${place}, or a part of it` });
  }
  return { program: settled.program, problems, contested: true };
}

interface Loser {
  readonly rule: Rule;
  readonly winners: readonly Rule[];
}

/** Each rule, unless one before it has some of its packets. */
function settle(rules: readonly Rule[]): { program: ReadonlyMap<ForwardId, Rule>; losers: readonly Loser[] } {
  const program = new Map<ForwardId, Rule>();
  const claims = createClaims();
  const losers: Loser[] = [];
  for (const rule of rules) {
    const winners = claims.overlapping(rule);
    if (winners.length > 0) {
      losers.push({ rule, winners });
      continue;
    }
    claims.add(rule);
    program.set(rule.forward, rule);
  }
  return { program, losers };
}

function compareAge(a: Forward, b: Forward): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
