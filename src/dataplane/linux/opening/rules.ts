import { addressValue, type Family } from '../../../model/address.ts';
import { printPortRange } from '../../../model/port-range.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import type { Rule } from '../../../program/rule.ts';
import type { IptablesTable } from '../firewall/iptables-filter.ts';

/** Of ours, in the table filter of iptables. */
export const OPENING_CHAIN = 'hatoba-forward';
const FORWARD = 'FORWARD';
const TRANSLATED = '-m conntrack --ctstate DNAT';
const JUMP = `-A ${FORWARD} ${TRANSLATED} -m comment --comment hatoba -j ${OPENING_CHAIN}`;

/**
 * What `iptables-restore --noflush` has to do so that FORWARD accepts what these rules translate, in both directions; `null`:
 * nothing. It is accepted only where the policy would drop it: behind all rules of others. Rules `null`: nothing of ours
 * is to be there.
 */
export function openingScript(filter: IptablesTable, rules: Iterable<Rule> | null, family: Family): string | null {
  const present = filter.chains.get(OPENING_CHAIN);
  const forward = filter.chains.get(FORWARD) ?? [];
  const jumps = forward.filter(({ text }) => text.endsWith(` -j ${OPENING_CHAIN}`));
  const removal = jumps.map(({ text }) => text.replace('-A ', '-D '));
  const isNeeded = rules !== null && filter.policies.get(FORWARD) === 'drop';
  const wanted = isNeeded ? openingRules(rules, family) : [];
  if (wanted.length === 0) {
    if (present === undefined && jumps.length === 0) return null;
    return script([...removal, `-F ${OPENING_CHAIN}`, `-X ${OPENING_CHAIN}`]);
  }
  const isSame = present?.length === wanted.length && present.every(({ text }, at) => text === wanted[at]);
  const isLast = jumps.length === 1 && forward.at(-1) === jumps[0];
  if (isSame && isLast) return null;
  // With --noflush, the declaration makes the chain or empties it. What others have appended since stays before our jump.
  return script([`:${OPENING_CHAIN} - [0:0]`, ...wanted, ...(isLast ? [] : [...removal, JUMP])]);
}

/** As iptables-save prints them. A flow is told by where its client sent it to, so that its answers are accepted as well. */
function openingRules(rules: Iterable<Rule>, family: Family): readonly string[] {
  return [...rules]
    .filter(({ external }) => external.family === family)
    .sort((a, b) => compare(a, b))
    .map(({ protocol, external, externalPorts }) => {
      const ports = printPortRange(externalPorts).replace('-', ':');
      const place = `--ctorigdst ${external.text} --ctorigdstport ${ports}`;
      return `-A ${OPENING_CHAIN} ${TRANSLATED} --ctproto ${PROTOCOL_NUMBERS[protocol]} ${place} -j ACCEPT`;
    });
}

/** So that what has not changed is not written anew. */
function compare(a: Rule, b: Rule): number {
  return (
    Number(addressValue(a.external) - addressValue(b.external)) ||
    a.externalPorts.first - b.externalPorts.first ||
    PROTOCOL_NUMBERS[a.protocol] - PROTOCOL_NUMBERS[b.protocol]
  );
}

function script(lines: readonly string[]): string {
  return ['*filter', ...lines, 'COMMIT', ''].join('\n');
}
