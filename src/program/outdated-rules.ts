import type { Address } from '../model/address.ts';
import { GATEWAY, isExpired } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways } from '../model/router.ts';
import { addressesOf, type Baseline } from '../model/status.ts';
import { type Leading, type Program, type Rule, ruleAt, sameRule } from './rule.ts';

/** What one router's kernel may have, and what it is to have. */
export interface Succession {
  readonly baseline: Baseline;
  /** All forwards of the router, as they are. */
  readonly forwards: ReadonlyMap<ForwardId, Leading>;
  /** Forwards as they were before a commit since the baseline that removed them or led them elsewhere. */
  readonly retired: Iterable<Leading>;
  /** The gateway addresses that `program` is made with. */
  readonly gateways: Gateways;
  readonly program: Program;
  /** Rules that are known to be outdated already, and are left out. */
  readonly known?: readonly Rule[];
}

/**
 * The rules that may have been in the kernel at some time since the baseline and are not part of the program: of forwards
 * that expired, were removed, disabled or led elsewhere, or that were on a gateway address which changed. Derived from
 * the store alone, so that it does not depend on which process has programmed them, nor on what the kernel still has.
 */
export function outdatedRules(succession: Succession): readonly Rule[] {
  const { baseline, forwards, retired, gateways, program, known = [] } = succession;
  const addresses = new Map([...baseline.gateways, ...addressesOf(gateways)].map((address) => [address.text, address]));
  const candidates = [...addresses.values()];
  const haveMoved = candidates.length > addressesOf(gateways).length;
  const outdated: Rule[] = [];
  for (const forward of forwards.values()) {
    // By far the most: its only rule is the one in the program.
    if (program.has(forward.id) && (!haveMoved || forward.externalAddress !== GATEWAY)) continue;
    outdated.push(...rulesOf(forward, candidates, baseline, program));
  }
  for (const forward of retired) outdated.push(...rulesOf(forward, candidates, baseline, program));
  const knownOf = new Map(known.map((rule) => [rule.forward, rule]));
  return outdated.filter((rule) => !isSame(knownOf.get(rule.forward), rule));
}

function rulesOf(forward: Leading, gateways: readonly Address[], { at }: Baseline, program: Program): readonly Rule[] {
  if (!forward.enabled || isExpired(forward, at)) return [];
  const { family } = forward.internalAddress;
  const addresses =
    forward.externalAddress === GATEWAY
      ? gateways.filter((address) => address.family === family)
      : [forward.externalAddress];
  return addresses
    .map((external) => ruleAt(forward, external))
    .filter((rule) => !isSame(program.get(rule.forward), rule));
}

/** Whether both lead the same flows in the same way for the same forward, whenever that is to end. */
function isSame(known: Rule | undefined, rule: Rule): boolean {
  return known !== undefined && sameRule({ ...rule, expiresAt: known.expiresAt }, known);
}
