import type { AdoptionPlan, ForeignRule, LeftForeignRule } from '../model/adoption.ts';
import { doesTheSame } from '../model/adoption.ts';
import { conflict } from '../model/conflicts.ts';
import { type ForwardSpec, GATEWAY } from '../model/forward.ts';
import type { Gateways } from '../model/router.ts';
import { type AdoptionRequest, type FoundForward, findForwards, type Instance } from './adoption-sources.ts';

/**
 * What taking over the rules comes to that were made by hand in the instances of one router. A rule is taken over as a
 * whole or not at all, and so are rules that share a forward. Error: `file_malformed` for rules without an end.
 */
export function planAdoption(instances: readonly Instance[], request: AdoptionRequest): Omit<AdoptionPlan, 'unread'> {
  const found = findForwards(instances, request);
  const reasons = obstacles(found.forwards, request);
  spread(found.forwards, reasons);
  const kept = found.forwards.filter(({ rules }) => !rules.some((rule) => reasons.has(rule)));
  const forwards: ForwardSpec[] = [];
  const rules = new Map<ForeignRule, { present: string[]; created: number[] }>();
  for (const { spec, rules: those } of kept) {
    const present = request.existing.find((forward) => doesTheSame(forward, spec, externalIn(request.gateways)));
    const created = present === undefined ? forwards.push(spec) - 1 : null;
    for (const rule of those) {
      const needs = rules.get(rule) ?? { present: [], created: [] };
      rules.set(rule, needs);
      if (present !== undefined) needs.present.push(present.id);
      if (created !== null) needs.created.push(created);
    }
  }
  const refused = [...reasons].map(([rule, reason]): LeftForeignRule => ({ ...rule, reason }));
  return {
    forwards,
    rules: [...rules].map(([rule, needs]) => ({ ...rule, ...needs })),
    left: [...found.left, ...refused],
    owners: found.owners,
  };
}

/** Why rules cannot be taken over although they are forwards each for itself. */
function obstacles(forwards: readonly FoundForward[], request: AdoptionRequest): Map<ForeignRule, string> {
  const { existing, gateways } = request;
  const reasons = new Map<ForeignRule, string>();
  const byPlace = Map.groupBy(forwards, ({ spec }) => placeOf(spec, gateways));
  const existingByPlace = Map.groupBy(existing, (forward) => placeOf(forward, gateways));
  for (const { spec, rules, rival } of forwards) {
    const place = placeOf(spec, gateways);
    const other = (byPlace.get(place) ?? []).find((each) => each.spec !== spec && conflict(each.spec, spec, gateways));
    const forward = (existingByPlace.get(place) ?? []).find((each) => {
      return conflict(each, spec, gateways) && !doesTheSame(each, spec, externalIn(gateways));
    });
    const reason =
      (forward && `the forward ${forward.name ?? forward.id} has some of its packets already`) ??
      (other && `it cannot be told which packets it has left by ${describe(other.rules[0])}`) ??
      (rival && `it cannot be told which packets it has left by ${rival}`);
    if (reason !== undefined && reason !== null) for (const rule of rules) reasons.set(rule, reason);
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

function externalIn(gateways: Gateways): (spec: ForwardSpec) => string {
  return ({ externalAddress, internalAddress: { family } }) => {
    return externalAddress === GATEWAY ? (gateways[family]?.text ?? GATEWAY) : externalAddress.text;
  };
}

/** Forwards in other places are never in conflict. */
function placeOf(spec: ForwardSpec, gateways: Gateways): string {
  return `${spec.protocol} ${externalIn(gateways)(spec)}`;
}
