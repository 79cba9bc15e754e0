import type { FlowPlace } from '../../../kernel/conntrack/live-flows.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';

/** What connection tracking knows of the flows that the rule leads to its target. */
export function flowPlaceOf(rule: Rule): FlowPlace {
  return {
    protocol: PROTOCOL_NUMBERS[rule.protocol],
    destination: rule.external,
    ports: rule.externalPorts,
    sources: rule.sources,
    target: rule.internal,
    targetPorts: rule.internalPorts,
  };
}
