import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, ProtocolLimits } from '../model/router.ts';
import type { Problem } from '../model/status.ts';
import { isRule, matchOf, type Program, type Rule, resolveForward } from './rule.ts';

export interface Resolution {
  readonly program: Program;
  /** Forwards that are wanted and yet not part of the program. */
  readonly problems: ReadonlyMap<ForwardId, Problem>;
  /** Whether some forward lost its port to another, which it gets as soon as that one gives it up. */
  readonly contested: boolean;
}

/**
 * The program of a router. Where a gateway address has become one that another forward names outright,
 * two forwards want the same port: the older one has it, the other gets a problem that says so.
 */
export function resolve(forwards: Iterable<Forward>, gateways: Gateways, limits: ProtocolLimits = {}): Resolution {
  const program = new Map<ForwardId, Rule>();
  const problems = new Map<ForwardId, Problem>();
  const owners = new Map<string, Forward>();
  let contested = false;
  for (const forward of forwards) {
    const resolved = resolveForward(forward, gateways, limits);
    if (resolved === null) continue;
    if (!isRule(resolved)) {
      problems.set(forward.id, resolved);
      continue;
    }
    const owner = owners.get(matchOf(resolved));
    const loser = owner === undefined ? undefined : older(owner, forward) ? forward : owner;
    if (loser !== forward) {
      owners.set(matchOf(resolved), forward);
      program.set(forward.id, resolved);
    }
    if (loser !== undefined) {
      contested = true;
      program.delete(loser.id);
      problems.set(loser.id, { state: 'error', message: `another forward already has ${matchOf(resolved)}` });
    }
  }
  return { program, problems, contested };
}

function older(a: Forward, b: Forward): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id);
}
