import type { FlowRule } from '../../../kernel/conntrack/stale-flows.ts';
import { portCount, samePorts } from '../../../model/port-range.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import { bySource, type NatRule } from './rules.ts';

/** What the rules say about flows, one for each source: of a range that is shifted, each port has a target of its own. */
export function flowRulesOf(rules: Iterable<Rule>): readonly FlowRule[] {
  return [...rules].flatMap(bySource).flatMap((rule) => {
    const { externalPorts: ports, internalPorts } = rule;
    if (samePorts(ports, internalPorts)) return [flowRule(rule, ports.first, ports.last, null)];
    if (portCount(internalPorts) === 1) return [flowRule(rule, ports.first, ports.last, internalPorts.first)];
    return Array.from({ length: portCount(ports) }, (_, step) =>
      flowRule(rule, ports.first + step, ports.first + step, internalPorts.first + step),
    );
  });
}

function flowRule(rule: NatRule, first: number, last: number, targetPort: number | null): FlowRule {
  const { protocol, external, internal, sources } = rule;
  return {
    protocol: PROTOCOL_NUMBERS[protocol],
    destination: external,
    ports: { first, last },
    source: sources[0] ?? null,
    target: internal,
    targetPort,
  };
}
