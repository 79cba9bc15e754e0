import type { AdoptionPlan, ForeignRule, LeftForeignRule } from '../model/adoption.ts';
import { conflict } from '../model/conflicts.ts';
import type { Forward, ForwardSpec } from '../model/forward.ts';
import type { Gateways } from '../model/router.ts';
import { type AdoptionRequest, type FoundForward, findForwards, type Instance } from './adoption-sources.ts';
import { effectOf, placeOf } from './forward-effect.ts';
import { BYPASSED } from './iptables-forwards.ts';

/**
 * What taking over the rules comes to that were made by hand in the instances of one router. A rule is taken over as a
 * whole or not at all, and so are rules that share a forward. Error: `file_malformed` for rules without an end.
 */
export function planAdoption(
  instances: readonly Instance[],
  request: AdoptionRequest,
): Omit<AdoptionPlan, 'unread' | 'addresses'> {
  const found = findForwards(instances, request);
  const present = alikeAmong(request.existing, request.gateways);
  const reasons = obstacles(found.forwards, request, present);
  spread(found.forwards, reasons);
  const kept = found.forwards.filter(({ rules }) => !rules.some((rule) => reasons.has(rule)));
  const forwards: ForwardSpec[] = [];
  const rules = new Map<ForeignRule, { present: string[]; created: number[] }>();
  for (const { spec, rules: those } of kept) {
    const forward = present(spec);
    const created = forward === undefined ? forwards.push(spec) - 1 : null;
    for (const rule of those) {
      const needs = rules.get(rule) ?? { present: [], created: [] };
      rules.set(rule, needs);
      if (forward !== undefined) needs.present.push(forward.id);
      if (created !== null) needs.created.push(created);
    }
  }
  const refused = [...reasons].map(([rule, reason]): LeftForeignRule => ({ ...rule, reason }));
  return {
    forwards,
    rules: [...rules].map(([rule, needs]) => ({ ...rule, ...needs })),
    left: [...found.left, ...refused],
    bypassed: bypassedBy(kept),
    owners: found.owners,
  };
}

/** Each rule once that packets of these forwards no longer meet. */
function bypassedBy(forwards: readonly FoundForward[]): readonly LeftForeignRule[] {
  const rules = forwards.flatMap(({ bypassed }) => bypassed);
  const once = new Map(rules.map((rule) => [[rule.instance, rule.program, rule.text].join('\n'), rule]));
  return [...once.values()].map((rule) => ({ ...rule, reason: BYPASSED }));
}

/** Finds the forward that does the same for the same packets, and goes on doing it. */
function alikeAmong(existing: readonly Forward[], gateways: Gateways): (spec: ForwardSpec) => Forward | undefined {
  const lasting = existing.filter(({ enabled, expiresAt }) => enabled && expiresAt === null);
  const forwards = new Map(lasting.map((forward) => [effectOf(forward, gateways), forward]));
  return (spec) => forwards.get(effectOf(spec, gateways));
}

/** Why rules cannot be taken over although they are forwards each for itself. */
function obstacles(
  forwards: readonly FoundForward[],
  { existing, gateways }: AdoptionRequest,
  present: (spec: ForwardSpec) => Forward | undefined,
): Map<ForeignRule, string> {
  const reasons = new Map<ForeignRule, string>();
  const byPlace = Map.groupBy(forwards, ({ spec }) => placeOf(spec, gateways));
  const existingByPlace = Map.groupBy(existing, (forward) => placeOf(forward, gateways));
  for (const { spec, rules, rivals } of forwards) {
    const [rival] = rivals;
    const place = placeOf(spec, gateways);
    const other = (byPlace.get(place) ?? []).find((each) => each.spec !== spec && conflict(each.spec, spec, gateways));
    const forward = (existingByPlace.get(place) ?? []).find((each) => {
      return conflict(each, spec, gateways) && each !== present(spec);
    });
    const reason =
      (forward && `the forward ${forward.name ?? forward.id} has some of its packets already`) ??
      (other && `it cannot be told which packets it has left by ${describe(other.rules[0])}`) ??
      (rival && `it cannot be told which packets it has left by a rule of ${rival.hook}: ${rival.text}`);
    if (reason !== undefined) for (const rule of rules) reasons.set(rule, reason);
  }
  return reasons;
}

/** A rule that stays keeps its forwards from being made, and with them the other rules that they stand for. */
function spread(forwards: readonly FoundForward[], reasons: Map<ForeignRule, string>): void {
  for (let before = -1; before < reasons.size; ) {
    before = reasons.size;
    for (const { rules } of forwards) {
      const stays = rules.find((rule) => reasons.has(rule));
      if (stays === undefined) continue;
      const reason = `it goes together with another rule that is not taken over: ${stays.text}`;
      for (const rule of rules) if (!reasons.has(rule)) reasons.set(rule, reason);
    }
  }
}

function describe(rule: ForeignRule | undefined): string {
  return rule === undefined ? '' : `a rule of ${rule.program} in ${rule.instance}: ${rule.text}`;
}
