import { isRecord, type Json } from './json.ts';
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

/**
 * The base chains of the hook `forward`, in order. `objects`: the list of `nft -j list ruleset` (libnftables-json(5));
 * `text`: the same as `nft -a` prints it, from which rules are quoted.
 */
export function readForwardChains(objects: readonly unknown[], text: string): readonly NftBaseChain[] {
  const quotes = readQuotes(text);
  const tables = new Map<string, Map<string, FilterRule[]>>();
  const bases: (Omit<NftBaseChain, 'chains'> & { readonly priority: number })[] = [];
  const chainsOf = (family: string, table: string) => {
    const key = `${family} ${table}`;
    const chains = tables.get(key) ?? new Map<string, FilterRule[]>();
    tables.set(key, chains);
    return chains;
  };
  for (const object of objects) {
    if (!isRecord(object)) continue;
    const { chain, rule } = object;
    if (isRecord(chain)) {
      const [family, table, name] = [String(chain['family']), String(chain['table']), String(chain['name'])];
      chainsOf(family, table).set(name, []);
      if (chain['hook'] !== 'forward' || chain['type'] !== 'filter') continue;
      const policy = chain['policy'] === 'drop' ? 'drop' : 'accept';
      bases.push({ family, table, name, policy, priority: Number(chain['prio']) });
    } else if (isRecord(rule)) {
      const [family, table] = [String(rule['family']), String(rule['table'])];
      const quote = quotes.get(`${family} ${table} ${String(rule['handle'])}`) ?? JSON.stringify(rule['expr']);
      const rules = chainsOf(family, table).get(String(rule['chain']));
      rules?.push(...readRule(Array.isArray(rule['expr']) ? rule['expr'] : [], quote));
    }
  }
  return bases
    .sort((a, b) => a.priority - b.priority)
    .map(({ family, table, name, policy }) => ({ family, table, name, policy, chains: chainsOf(family, table) }));
}

/** One rule of nft; several where it leads different packets to different chains. */
function readRule(statements: readonly Json[], text: string): readonly FilterRule[] {
  const conditions = statements.flatMap((statement) => nftCondition(statement) ?? []);
  const rules: FilterRule[] = [];
  const add = (action: Action, more = conditions) => {
    rules.push({ text, condition: all(more), action });
  };
  for (const statement of statements) {
    if (!isRecord(statement)) continue;
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

function actionOf(statement: Readonly<Record<string, Json>>): Action {
  if ('accept' in statement) return { kind: 'accept' };
  if ('drop' in statement || 'reject' in statement) return { kind: 'drop' };
  if ('return' in statement) return { kind: 'return' };
  for (const kind of ['jump', 'goto'] as const) {
    const target = statement[kind];
    if (isRecord(target)) return { kind, chain: String(target['target']) };
  }
  if ('queue' in statement) return { kind: 'unclear' };
  const changed = isRecord(statement['mangle']) ? statement['mangle']['key'] : undefined;
  const isMark = isRecord(changed) && isRecord(changed['meta']) && changed['meta']['key'] === 'mark';
  return isMark ? { kind: 'mark', mark: ({ value }) => ({ value, known: 0 }) } : { kind: 'pass' };
}

/** Rules by family, table and handle, without white space around them. */
function readQuotes(text: string): ReadonlyMap<string, string> {
  const quotes = new Map<string, string>();
  let table = '';
  for (const line of text.split('\n')) {
    const [, opened] = /^table (\S+ \S+) \{/.exec(line) ?? [];
    table = opened ?? table;
    const [, quoted, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (quoted !== undefined) quotes.set(`${table} ${handle}`, quoted.trim());
  }
  return quotes;
}
