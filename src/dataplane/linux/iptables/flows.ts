import type { FlowRule } from '../../../kernel/conntrack/stale-flows.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import { bySource } from './rules.ts';

/** What the rules say about flows, one for each source. */
export function flowRulesOf(rules: Iterable<Rule>): readonly FlowRule[] {
  return [...rules].flatMap(bySource).map((rule) => ({
    protocol: PROTOCOL_NUMBERS[rule.protocol],
    destination: rule.external,
    ports: rule.externalPorts,
    source: rule.sources[0] ?? null,
    target: rule.internal,
    targetPorts: rule.internalPorts,
  }));
}
