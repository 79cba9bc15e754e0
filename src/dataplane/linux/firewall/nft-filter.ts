import { isJson, type Json } from '../../../interchange/nft-match.ts';
import type { NftRule } from '../../../interchange/nft-ruleset.ts';
import { UNKNOWN_BITS } from './bits.ts';
import { bitsExpression } from './nft-bits.ts';
import { type MappedVerdict, nftComparison, verdictMap } from './nft-conditions.ts';
import { type Condition, truthOf } from './passing-packet.ts';
import type { Action, FilterRule, Step } from './walk.ts';

/** Statements after which the packet surely goes on, as it was (nft(8), STATEMENTS). */
const HARMLESS = new Set(['counter', 'log', 'last', 'dup', 'ct helper', 'ct timeout', 'ct expectation', 'secmark']);

/** What `meta … set`, `ct … set` and the like can change without changing the packet's way. */
const HARMLESS_KEYS: Readonly<Record<string, readonly string[]>> = {
  meta: ['nftrace', 'priority', 'pkttype', 'secmark'],
  ct: ['label', 'event', 'secmark', 'helper'],
  payload: ['dscp', 'ecn', 'flowlabel'],
  'tcp option': ['size'],
};

/** Statements that hold for some packets: as often as they say, or as long as a set has room (nft_dynset.c). */
const CONDITIONAL = new Set(['limit', 'quota', 'ct count', 'set', 'map', 'meter', 'connlimit']);

const UNCLEAR: Step = { do: { kind: 'unclear' } };

/** A rule of nft, statement by statement. Of statements that are not known, nothing is certain. */
export function readNftRule({ statements, text }: NftRule): FilterRule {
  return { text, steps: statements.flatMap(stepsOf) };
}

function stepsOf(statement: Json): readonly Step[] {
  const [[kind, content] = ['', null]] = Object.entries(statement);
  if (HARMLESS.has(kind)) return [];
  if (CONDITIONAL.has(kind)) return [{ when: () => 'maybe' }];
  switch (kind) {
    case 'match':
      return isJson(content) ? [{ when: nftComparison(content) }] : [UNCLEAR];
    case 'vmap': {
      const entries = verdictMap(content);
      return [entries === null ? UNCLEAR : { choose: entries.map(choiceOf) }];
    }
    case 'mangle':
      return isJson(content) ? changeOf(content) : [UNCLEAR];
    case 'xt':
      // A match of iptables' that nft cannot read.
      return isJson(content) && content['type'] === 'match' ? [{ when: () => 'maybe' }] : [UNCLEAR];
    default:
      return [{ do: verdictOf(kind, content) }];
  }
}

function choiceOf({ condition, verdict }: MappedVerdict): { readonly when: Condition; readonly do: Action } {
  const [[kind, content] = ['', null]] = Object.entries(verdict);
  return { when: condition, do: verdictOf(kind, content) };
}

const VERDICTS: Readonly<Record<string, Action>> = {
  accept: { kind: 'accept' },
  drop: { kind: 'drop' },
  reject: { kind: 'drop' },
  return: { kind: 'return' },
  continue: { kind: 'pass' },
  notrack: { kind: 'untrack' },
  dnat: { kind: 'translate' },
  snat: { kind: 'translate' },
  masquerade: { kind: 'translate' },
  redirect: { kind: 'translate' },
  // The first packets go on; later ones pass no chain of forward any more (`offloads`).
  flow: { kind: 'pass' },
};

function verdictOf(kind: string, content: unknown): Action {
  if (kind === 'jump' || kind === 'goto') {
    const target = isJson(content) ? content['target'] : undefined;
    return typeof target === 'string' ? { kind, chain: target } : { kind: 'unclear' };
  }
  // Where the address is from a map that has nothing for it, the flow is not translated.
  const isMapped = kind === 'dnat' || kind === 'snat' ? isJson(content) && usesMap(content) : false;
  return isMapped ? { kind: 'unclear' } : (VERDICTS[kind] ?? { kind: 'unclear' });
}

function usesMap({ addr, port }: Json): boolean {
  return [addr, port].some((value) => isJson(value));
}

/** `meta mark set …`, `ct mark set …`; what else a rule can change is harmless, or may end the packet's way. */
function changeOf({ key, value }: Json): readonly Step[] {
  const [[kind, content] = ['', null]] = isJson(key) ? Object.entries(key) : [];
  if (!isJson(content)) return [UNCLEAR];
  const name = String(content['key'] ?? content['field']);
  if (name !== 'mark' || (kind !== 'meta' && kind !== 'ct')) {
    return HARMLESS_KEYS[kind]?.includes(name) === true ? [] : [UNCLEAR];
  }
  const bits = bitsExpression(value) ?? (() => UNKNOWN_BITS);
  return [
    // The mark of a connection that is not there ends the rule.
    { when: (packet) => truthOf(bits(packet) !== null) },
    {
      do: {
        kind: kind === 'meta' ? 'mark' : 'connection-mark',
        value: (packet) => bits(packet) ?? UNKNOWN_BITS,
      },
    },
  ];
}
