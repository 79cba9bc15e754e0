import type { SetElement } from '../../../kernel/nft-batch.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import { EXACT } from './layout.ts';

/**
 * The element that does what the rule says. Protocols are numbers: names would be looked up in the machine's
 * /etc/protocols. The comment is the forward's id, for whoever reads `nft list table`.
 */
export function elementOf(rule: Rule): SetElement {
  const { protocol, external, externalPorts, internal, internalPorts } = rule;
  return {
    set: EXACT[external.family].name,
    key: `${external.text} . ${PROTOCOL_NUMBERS[protocol]} . ${externalPorts.first}`,
    value: `${internal.text} . ${internalPorts.first}`,
    comment: rule.forward,
  };
}
