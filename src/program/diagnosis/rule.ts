import { printEndpoint } from '../../model/address.ts';
import { type Finding, finding, type Subject } from '../../model/findings.ts';
import type { Hop, InstanceFacts, Passage, RuleFacts, TargetFacts } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { within } from './router.ts';

/** What others' rules do to the packets of a rule, and to the answers. */
export function diagnosePassages(
  subject: Subject,
  { rule, way, passages }: RuleFacts,
  router: InstanceFacts,
): readonly Finding[] {
  const stopping = passages.filter(({ outcome }) => outcome !== 'accept');
  if (stopping.length > 0) return stopping.map((passage) => stopped(subject, rule, passage, router.instance));
  // What could not be read, or is on a way that is not known, may stop them.
  const isWhole = router.unread.length === 0 && router.routingRules[rule.internal.family].length === 0;
  if (!isWhole || 'failure' in way.toTarget || 'failure' in way.toClient) return [];
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

/** The target itself. Without forwarding there is no way to it, which is said elsewhere. */
export function diagnoseTarget(
  subject: Subject,
  { rule, way, target }: RuleFacts,
  { forwarding }: InstanceFacts,
): readonly Finding[] {
  if (target === null || !(way.isLocal || forwarding[rule.internal.family] === true)) return [];
  const neighbour = 'failure' in way.toTarget || way.isLocal ? [] : [neighbourOf(subject, way.toTarget, rule, target)];
  return [...neighbour, ...answer(subject, rule, target)];
}

function neighbourOf(subject: Subject, { nextHop }: Hop, { internal }: Rule, { neighbour }: TargetFacts): Finding {
  if (neighbour === null) return finding(subject, 'neighbour_unknown', { address: (nextHop ?? internal).text });
  const { address, state } = neighbour;
  const isFailed = /FAILED|INCOMPLETE/.test(state);
  return finding(subject, isFailed ? 'neighbour_failed' : 'neighbour_present', { address: address.text, state });
}

function stopped(subject: Subject, rule: Rule, passage: Passage, instance: string): Finding {
  const { chain, outcome, author, packet } = passage;
  const target = `${printEndpoint(rule.internal.text, rule.internalPorts.first)}/${rule.protocol}`;
  const packets = describePackets(packet, target);
  const text = passage.rule ?? 'its policy';
  if (outcome === 'unclear') {
    return finding(subject, 'firewall_unclear', { chain, packets, rule: text, within: within(instance) });
  }
  if (outcome === 'divert') return finding(subject, 'rule_diverts', { chain, packets, rule: text });
  if (packet === 'later') return finding(subject, 'established_dropped', { chain, target, rule: text });
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

function describePackets(packet: Passage['packet'], target: string): string {
  if (packet === 'answer') return `the answers of ${target}`;
  return packet === 'first' ? `packets to ${target}` : `later packets to ${target}`;
}

function answer(subject: Subject, rule: Rule, { answer: found }: TargetFacts): readonly Finding[] {
  const { protocol, internal, internalPorts } = rule;
  const target = printEndpoint(internal.text, internalPorts.first);
  switch (found) {
    case null:
      return [finding(subject, 'target_untold', { target, protocol, address: internal.text })];
    case 'accepts':
      return [finding(subject, 'target_answers', { target })];
    case 'refuses':
      return [finding(subject, 'target_refuses', { target })];
    case 'silent':
      return [finding(subject, 'target_silent', { target })];
    default:
      return [finding(subject, 'target_unreachable', { target, reason: found })];
  }
}
