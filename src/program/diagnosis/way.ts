import { type Finding, finding, type Subject } from '../../model/findings.ts';
import type { InstanceFacts, RuleFacts } from '../facts.ts';
import { within } from './router.ts';

/** How packets of a rule are routed to its target, and the answers back. Without forwarding they are not. */
export function diagnoseWay(subject: Subject, facts: RuleFacts, router: InstanceFacts): readonly Finding[] {
  const { rule, way } = facts;
  const [first] = router.routingRules[rule.internal.family];
  if (first !== undefined) {
    return [
      finding(subject, 'routing_unclear', { rule: first, target: rule.internal.text, within: within(router.instance) }),
    ];
  }
  if (way.isLocal) return [localTarget(subject, facts), ...wayBack(subject, facts, router)];
  if (router.forwarding[rule.internal.family] !== true) return [];
  return [...wayThere(subject, facts, router), ...wayBack(subject, facts, router)];
}

function localTarget(subject: Subject, { rule }: RuleFacts): Finding {
  return finding(subject, 'target_local', { target: rule.internal.text });
}

function wayThere(subject: Subject, facts: RuleFacts, { instance }: InstanceFacts): readonly Finding[] {
  const { rule, way } = facts;
  const { toTarget, arrivesBy, isHairpin } = way;
  const target = rule.internal.text;
  if ('failure' in toTarget) {
    const parameters = { target, reason: toTarget.failure, within: within(instance), forward: rule.forward };
    return [finding(subject, 'route_missing', parameters)];
  }
  const leads = { target, way: describeWay(toTarget.interface, toTarget.nextHop?.text) };
  if (isHairpin || !arrivesBy.includes(toTarget.interface)) return [finding(subject, 'route_present', leads)];
  return [finding(subject, 'route_outside', leads), ...bypass(subject, facts)];
}

/** Where others give the flow another source, the answer comes back to the router; on a bridge of the router's own it may. */
function bypass(subject: Subject, { rule, way, translatesSource }: RuleFacts): readonly Finding[] {
  if (translatesSource !== 'no' || way.isBridged) return [];
  return [finding(subject, 'answer_bypasses_router', { target: rule.internal.text })];
}

function wayBack(
  subject: Subject,
  { rule, way }: RuleFacts,
  { instance, strictReversePath }: InstanceFacts,
): readonly Finding[] {
  const { toTarget, refusal, toClient, arrivesBy } = way;
  const [expected] = arrivesBy;
  const client = way.client.text;
  const where = within(instance);
  if ('failure' in toClient) {
    return 'failure' in toTarget
      ? []
      : [finding(subject, 'reply_route_missing', { client, reason: toClient.failure, within: where })];
  }
  const leaves = { client, way: describeWay(toClient.interface, toClient.nextHop?.text) };
  const refused =
    refusal === null
      ? []
      : [finding(subject, 'arrival_refused', { client, outside: expected ?? '', reason: refusal, within: where })];
  if (expected === undefined || arrivesBy.includes(toClient.interface)) {
    return [...refused, finding(subject, 'reply_route_present', leaves)];
  }
  const told = { ...leaves, outside: expected, within: where };
  const isStrict = strictReversePath.includes(expected) && rule.external.family === 4;
  return isStrict
    ? [finding(subject, 'reverse_path_filtered', told)]
    : [...refused, finding(subject, 'reply_route_astray', told)];
}

function describeWay(device: string, nextHop: string | undefined): string {
  return nextHop === undefined ? device : `${device}, through ${nextHop}`;
}
