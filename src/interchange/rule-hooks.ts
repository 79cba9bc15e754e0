import type { Family } from '../model/address.ts';
import { readDump } from './iptables-dump.ts';
import type { Rule } from './iptables-rule.ts';
import { type Visit, walk, walkChains } from './iptables-walk.ts';
import { type NftChain, readNftChains, readNftRules } from './nft-ruleset.ts';
import { type IptablesDump, nftFamily, type RuleTexts } from './rule-texts.ts';

/** The rules that packets from elsewhere meet at one point of their way, before or in address translation. */
export interface Hook {
  /** How it is called in messages: `iptables-nft (raw)`, `nft (ip own pre)`. */
  readonly name: string;
  readonly family: Family;
  /** Of netfilter: hooks with lower ones come first. */
  readonly priority: number;
  /** Whether addresses are translated there, and nothing else. */
  readonly isNat: boolean;
  /** In the order in which packets come to them. */
  readonly visits: readonly Visit[];
}

/** linux/netfilter_ipv4.h: NF_IP_PRI_RAW, NF_IP_PRI_MANGLE, NF_IP_PRI_NAT_DST. */
const TABLES = { raw: -300, mangle: -150, nat: -100 } as const;
const FAMILIES: readonly Family[] = [4, 6];

/** All hooks of prerouting. Error: `file_malformed` for rules that cannot be followed to an end. */
export function hooksOf({ dumps, nft }: RuleTexts): readonly Hook[] {
  const natives = nft === null ? [] : nativeChains(readNftChains(nft), dumps);
  const known = new Map(natives.map((chain) => [nameOf(chain), chain]));
  return [...dumps.flatMap(dumpHooks), ...natives.flatMap((chain) => nftHooks(chain, known))];
}

/** Those that are not in what iptables prints: it tells more of its own rules than nft does. */
export function nativeChains(chains: readonly NftChain[], dumps: readonly IptablesDump[]): readonly NftChain[] {
  const printed = new Set(
    dumps.filter(({ variant }) => variant === 'nft').flatMap(({ family, text }) => declaredIn(text, nftFamily(family))),
  );
  return chains.filter((chain) => !printed.has(nameOf(chain)));
}

function nameOf({ family, table, name }: Pick<NftChain, 'family' | 'table' | 'name'>): string {
  return `${family} ${table} ${name}`;
}

function declaredIn(text: string, family: string): readonly string[] {
  let table = '';
  return text.split('\n').flatMap((line) => {
    table = /^\*(\S+)/.exec(line)?.[1] ?? table;
    const chain = /^:(\S+) /.exec(line)?.[1];
    return chain === undefined ? [] : [`${family} ${table} ${chain}`];
  });
}

function dumpHooks({ program, family, text }: IptablesDump): readonly Hook[] {
  return Object.entries(TABLES).flatMap(([table, priority]) => {
    const file = `${program}-save`;
    return readDump(file, text, table).map((content) => ({
      name: `${program} (${table})`,
      family,
      priority,
      isNat: table === 'nat',
      visits: walk(file, { ...content, family }, { family, outside: [], isNat: table === 'nat' }),
    }));
  });
}

/** `all`: by `nameOf`. */
function nftHooks(chain: NftChain, all: ReadonlyMap<string, NftChain>): readonly Hook[] {
  const { base } = chain;
  if (base === null || base.hook !== 'prerouting') return [];
  const families = FAMILIES.filter((family) => chain.family === 'inet' || chain.family === nftFamily(family));
  const name = `nft (${nameOf(chain)})`;
  return families.map((family) => {
    const known = new Map<string, readonly Rule[]>();
    const visits = walkChains(name, chain.name, family, (called) => {
      const found = all.get(nameOf({ ...chain, name: called }));
      const rules = known.get(called) ?? found?.rules.flatMap((rule, at) => readNftRules(rule, found, family, at + 1));
      if (rules !== undefined) known.set(called, rules);
      return rules;
    });
    return { name, family, priority: base.priority, isNat: base.type === 'nat', visits };
  });
}
