import { isJson, type Json } from '../../../interchange/nft-match.ts';
import { type NftRule, readNftChains } from '../../../interchange/nft-ruleset.ts';
import type { NftRuleset } from '../../../interchange/rule-texts.ts';
import { nftCondition, verdictMap } from './nft-conditions.ts';
import { all } from './passing-packet.ts';
import type { Action, FilterChains, FilterRule } from './walk.ts';

/** A chain that all forwarded packets come to. */
export interface NftBaseChain {
  /** nft's name of the family. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly policy: 'accept' | 'drop';
  /** All chains of its table. */
  readonly chains: FilterChains;
}

/** The base chains of the hook `forward`, in order. */
export function readForwardChains(ruleset: NftRuleset): readonly NftBaseChain[] {
  const chains = readNftChains(ruleset);
  const tables = Map.groupBy(chains, ({ family, table }) => `${family} ${table}`);
  const contents = new Map(
    Array.from(tables, ([key, inTable]): [string, FilterChains] => {
      return [key, new Map(inTable.map(({ name, rules }) => [name, rules.flatMap(readRule)]))];
    }),
  );
  return chains
    .flatMap(({ family, table, name, base }) => {
      if (base?.hook !== 'forward' || base.type !== 'filter') return [];
      const { policy, priority } = base;
      return [{ family, table, name, policy, priority, chains: contents.get(`${family} ${table}`) ?? new Map() }];
    })
    .sort((a, b) => a.priority - b.priority);
}

/** One rule of nft; several where it leads different packets to different chains. */
function readRule({ statements, text }: NftRule): readonly FilterRule[] {
  const conditions = statements.flatMap((statement) => nftCondition(statement) ?? []);
  const rules: FilterRule[] = [];
  const add = (action: Action, more = conditions) => {
    rules.push({ text, condition: all(more), action });
  };
  for (const statement of statements) {
    const entries = 'vmap' in statement ? verdictMap(statement['vmap']) : undefined;
    if (entries === null) add({ kind: 'unclear' });
    for (const { condition, verdict } of entries ?? []) add(actionOf(verdict), [...conditions, condition]);
    if (entries === undefined) {
      const action = actionOf(statement);
      if (action.kind !== 'pass') add(action);
    }
  }
  return rules;
}

function actionOf(statement: Json): Action {
  if ('accept' in statement) return { kind: 'accept' };
  if ('drop' in statement || 'reject' in statement) return { kind: 'drop' };
  if ('return' in statement) return { kind: 'return' };
  for (const kind of ['jump', 'goto'] as const) {
    const target = statement[kind];
    if (isJson(target)) return { kind, chain: String(target['target']) };
  }
  if ('queue' in statement) return { kind: 'unclear' };
  const changed = isJson(statement['mangle']) ? statement['mangle']['key'] : undefined;
  const isMark = isJson(changed) && isJson(changed['meta']) && changed['meta']['key'] === 'mark';
  return isMark ? { kind: 'mark', mark: ({ value }) => ({ value, known: 0 }) } : { kind: 'pass' };
}
