import { type Finding, finding, type Subject } from '../../model/findings.ts';
import type { Forward } from '../../model/forward.ts';
import { forwardStatus } from '../../model/status.ts';
import type { InstanceFacts } from '../facts.ts';
import { diagnoseInstance, type RouterKnowledge } from './router.ts';
import { diagnosePassages, diagnosePlace, diagnoseTarget } from './rule.ts';
import { diagnoseWay } from './way.ts';

/** Everything that is to be said of one forward, with its router. `instances`: where this node has it. */
export function diagnoseForward(
  forward: Forward,
  knowledge: RouterKnowledge,
  instances: readonly InstanceFacts[],
): readonly Finding[] {
  const { router, status, now } = knowledge;
  const subject: Subject = { router, instance: null, forward: forward.id };
  if (instances.length === 0) return [finding(subject, 'router_absent', { router })];
  const { state, message, warnings } = forwardStatus(forward, status === null ? [] : [status], now);
  const found = instances.flatMap((facts) => [
    ...diagnoseInstance({ ...knowledge, forwards: [forward] }, facts),
    ...diagnoseThere({ ...subject, instance: facts.instance }, facts),
  ]);
  const overlaps = warnings.map((warning) => finding(subject, 'rules_overlap', { warning }));
  return [standing(subject, forward, state, message), ...overlaps, ...found];
}

/** What stands in the way of a router's forwards, each sort of trouble once: with the first of those that have it. */
export function diagnoseTraffic(router: string, facts: InstanceFacts): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const rule of facts.rules.values()) {
    const subject: Subject = { router, instance: facts.instance, forward: rule.rule.forward };
    for (const each of diagnoseWay(subject, rule, facts)) {
      if (each.level !== 'ok' && !found.has(each.code)) found.set(each.code, each);
    }
    for (const passage of rule.passages) {
      const key = `${passage.chain} ${passage.packet} ${passage.rule}`;
      if (passage.outcome === 'accept' || found.has(key)) continue;
      for (const each of diagnosePassages(subject, { ...rule, passages: [passage] }, facts)) found.set(key, each);
    }
  }
  return [...found.values()];
}

function standing(subject: Subject, forward: Forward, state: string, message: string | null): Finding {
  const { id } = forward;
  switch (state) {
    case 'active':
      return finding(subject, 'forward_active', {});
    case 'disabled':
      return finding(subject, 'forward_disabled', { forward: forward.name ?? id });
    case 'expired':
      return finding(subject, 'forward_expired', { forward: forward.name ?? id, time: forward.expiresAt ?? '' });
    default:
      return finding(subject, 'forward_inactive', { state, reason: message ?? '' });
  }
}

function diagnoseThere(subject: Subject, facts: InstanceFacts): readonly Finding[] {
  return [...facts.rules.values()].flatMap((rule) => [
    ...diagnosePlace(subject, rule, facts.instance),
    ...diagnoseWay(subject, rule, facts),
    ...diagnoseTarget(subject, rule, facts),
    ...diagnosePassages(subject, rule, facts),
  ]);
}
