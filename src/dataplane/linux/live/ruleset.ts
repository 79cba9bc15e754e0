import type { BaseChain } from '../../../model/observation.ts';

/** Chains and rules as nft prints them, to be looked up by what the kernel calls them. */
export interface Ruleset {
  /** The rule's text; `null`: there is none of this handle there. */
  rule(table: string, chain: string, handle: number): string | null;
  /** `null`: it is no base chain, or there is none of this name. */
  base(table: string, chain: string): BaseChain | null;
  /** Whether translation is asked for what comes in by this hook. */
  translatesAt(hook: string): boolean;
}

const TABLE = /^table (\S+ \S+) \{/;
const CHAIN = /^\tchain (\S+) \{/;
const BASE = /^\t\ttype (\S+) hook (\S+) (?:device.*? )?priority (-?\d+); policy /;
/** A comment can look like a handle; the handle itself comes last. */
const RULE = /^\t\t(.*\S) +# handle (\d+)$/;

/** `text`: what `nft -a -s -t -y list ruleset` prints: with handles, without counts and elements, priorities as numbers. */
export function parseRuleset(text: string): Ruleset {
  const rules = new Map<string, string>();
  const bases = new Map<string, BaseChain>();
  let [table, chain] = ['', ''];
  for (const line of text.split('\n')) {
    table = TABLE.exec(line)?.[1] ?? table;
    chain = CHAIN.exec(line)?.[1] ?? chain;
    const [, type, hook, priority] = BASE.exec(line) ?? [];
    if (type !== undefined && hook !== undefined) {
      bases.set(`${table} ${chain}`, { type, hook, priority: Number(priority) });
      continue;
    }
    const [, words, handle] = RULE.exec(line) ?? [];
    if (words !== undefined) rules.set(`${table} ${chain} ${handle}`, words);
  }
  return {
    rule: (inTable, inChain, handle) => rules.get(`${inTable} ${inChain} ${handle}`) ?? null,
    base: (inTable, inChain) => bases.get(`${inTable} ${inChain}`) ?? null,
    translatesAt: (hook) => [...bases.values()].some((base) => base.type === 'nat' && base.hook === hook),
  };
}
