import type { Element } from '../../../kernel/nft-table.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import { EXACT, type NftMap } from './layout.ts';

/** One element, and the map it belongs into. */
export interface MapElement extends Element {
  readonly map: NftMap;
}

/**
 * The element that does what the rule says. Protocols are numbers: names would be looked up in the machine's
 * /etc/protocols. The comment is the forward's id, for whoever reads `nft list table`.
 */
export function elementOf(rule: Rule): MapElement {
  const { protocol, external, externalPorts, internal, internalPorts } = rule;
  return {
    map: EXACT[external.family],
    key: `${external.text} . ${PROTOCOL_NUMBERS[protocol]} . ${externalPorts.first}`,
    value: `${internal.text} . ${internalPorts.first}`,
    comment: rule.forward,
  };
}
