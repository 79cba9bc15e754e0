import { printEndpoint } from '../../model/address.ts';
import { type Finding, finding, type Subject } from '../../model/findings.ts';
import type { InstanceFacts, Passage, RuleFacts } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { within } from './router.ts';

/** What others' rules do to the packets of a rule, and to the answers. */
export function diagnosePassages(
  subject: Subject,
  { rule, passages }: RuleFacts,
  instance: string,
): readonly Finding[] {
  const stopping = passages.filter(({ outcome }) => outcome !== 'accept');
  if (stopping.length > 0) return stopping.map((passage) => stopped(subject, rule, passage, instance));
  const count = new Set(passages.map(({ chain }) => chain)).size;
  return [finding(subject, 'firewall_passed', { count })];
}

/** Whether the rule is there, and its external address reaches the router. */
export function diagnosePlace(
  subject: Subject,
  { rule, connections, hasAddress }: RuleFacts,
  instance: string,
): readonly Finding[] {
  const address = rule.external.text;
  return [
    connections === null
      ? finding(subject, 'rule_missing', { within: within(instance) })
      : finding(subject, 'rule_present', {
          connections: connections === 1 ? '1 connection' : `${connections} connections`,
        }),
    finding(subject, hasAddress ? 'address_present' : 'address_absent', { address }),
  ];
}

/** The way to the target and back, and the target itself. Without forwarding there is no way, which is said elsewhere. */
export function diagnoseTarget(subject: Subject, facts: RuleFacts, router: InstanceFacts): readonly Finding[] {
  if (facts.target === null || router.forwarding[facts.rule.internal.family] !== true) return [];
  return [...way(subject, facts, router), ...answer(subject, facts), ...wayBack(subject, facts, router)];
}

function stopped(subject: Subject, rule: Rule, passage: Passage, instance: string): Finding {
  const { chain, outcome, author } = passage;
  const target = `${printEndpoint(rule.internal.text, rule.internalPorts.first)}/${rule.protocol}`;
  const packets = passage.direction === 'request' ? `packets to ${target}` : `the answers of ${target}`;
  const text = passage.rule ?? 'its policy';
  if (outcome === 'unclear') {
    return finding(subject, 'firewall_unclear', { chain, packets, rule: text, within: within(instance) });
  }
  if (author === 'address-scopes') return finding(subject, 'address_scope_differs', { packets, rule: text });
  if (author === 'firewalld') {
    const { family, text: address } = rule.internal;
    const { protocol, internalPorts } = rule;
    const parameters = { packets, chain, rule: text, family, address, protocol, port: internalPorts.first };
    return finding(subject, 'firewalld_drops', parameters);
  }
  if (passage.rule !== null) return finding(subject, 'rule_drops', { chain, packets, rule: passage.rule });
  return finding(subject, author === 'docker' ? 'docker_drops' : 'policy_drops', { chain, packets });
}

function way(subject: Subject, { rule, target }: RuleFacts, { instance, outside }: InstanceFacts): readonly Finding[] {
  if (target === null) return [];
  const { toTarget, neighbour } = target;
  const { text, family } = rule.internal;
  if ('failure' in toTarget) {
    const parameters = { target: text, reason: toTarget.failure, within: within(instance), forward: rule.forward };
    return [finding(subject, 'route_missing', parameters)];
  }
  const leads = { target: text, way: describeWay(toTarget.interface, toTarget.nextHop?.text) };
  const isOutside = outside[family].includes(toTarget.interface);
  const route = finding(subject, isOutside ? 'route_outside' : 'route_present', leads);
  if (neighbour === null) {
    return [route, finding(subject, 'neighbour_unknown', { address: toTarget.nextHop?.text ?? text })];
  }
  const { address, state } = neighbour;
  const isFailed = /FAILED|INCOMPLETE/.test(state);
  return [
    route,
    finding(subject, isFailed ? 'neighbour_failed' : 'neighbour_present', { address: address.text, state }),
  ];
}

function answer(subject: Subject, { rule, target: found }: RuleFacts): readonly Finding[] {
  const { protocol, internal, internalPorts } = rule;
  const target = printEndpoint(internal.text, internalPorts.first);
  switch (found?.answer) {
    case undefined:
      return [];
    case null:
      return [finding(subject, 'target_untold', { target, protocol, address: internal.text })];
    case 'accepts':
      return [finding(subject, 'target_answers', { target })];
    case 'refuses':
      return [finding(subject, 'target_refuses', { target })];
    case 'silent':
      return [finding(subject, 'target_silent', { target })];
    default:
      return [finding(subject, 'target_unreachable', { target, reason: found?.answer ?? '' })];
  }
}

function wayBack(
  subject: Subject,
  { rule, target }: RuleFacts,
  { instance, outside, strictReversePath }: InstanceFacts,
): readonly Finding[] {
  if (target === null) return [];
  const { toTarget, refusal, toClient, client: anybody } = target;
  const [expected] = outside[rule.external.family];
  const client = anybody.text;
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
  if (expected === undefined || outside[rule.external.family].includes(toClient.interface)) {
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
