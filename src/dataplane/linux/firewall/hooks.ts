import { isJson } from '../../../interchange/nft-match.ts';
import { readNftChains } from '../../../interchange/nft-ruleset.ts';
import { type IptablesDump, nftFamily, type RuleTexts } from '../../../interchange/rule-texts.ts';
import type { Family } from '../../../model/address.ts';
import type { Passage } from '../../../program/facts.ts';
import { MASQUERADE, TRANSLATE } from '../iptables/rules.ts';
import { type IptablesTable, readTables } from './iptables-filter.ts';
import { readNftRule } from './nft-filter.ts';
import type { FilterChains } from './walk.ts';

/** Where on its way through the kernel a packet meets rules (https://wiki.nftables.org, "Netfilter hooks"). */
export const HOOKS = ['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress'] as const;
export type Hook = (typeof HOOKS)[number];

/** linux/netfilter_ipv4.h: NF_IP_PRI_CONNTRACK, NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC. */
export const CONNTRACK = -200;
export const NAT: Readonly<Record<'destination' | 'source', number>> = { destination: -100, source: 100 };

/** A chain of others that packets come to by themselves. */
export interface BaseChain {
  /** Whose it is, and its name: `iptables-nft filter FORWARD`, `nft inet fence forward`. */
  readonly name: string;
  readonly hook: Hook;
  /** Interfaces that it is of; empty: of all. */
  readonly devices: readonly string[];
  /** `nat`: asked for the first packet of a flow, at the priority of translation, until one of them translates it. */
  readonly isNat: boolean;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  readonly families: readonly Family[];
  readonly author: Passage['author'];
  /** Its own name among all chains of its table. */
  readonly chain: string;
  readonly chains: FilterChains;
}

/** Everything of others that packets of a router can meet, in order of hooks and priorities. */
export interface BaseChains {
  readonly chains: readonly BaseChain[];
  /** Whether rules can send flows by a flowtable, past all hooks but ingress, once they are established. */
  readonly offloads: boolean;
}

/** ip_tables.h and the table's own files in net/ipv4/netfilter: priorities by table and chain. */
const TABLES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  raw: { PREROUTING: -300, OUTPUT: -300 },
  mangle: { PREROUTING: -150, INPUT: -150, FORWARD: -150, OUTPUT: -150, POSTROUTING: -150 },
  nat: { PREROUTING: NAT.destination, INPUT: NAT.source, OUTPUT: NAT.destination, POSTROUTING: NAT.source },
  filter: { INPUT: 0, FORWARD: 0, OUTPUT: 0 },
  security: { INPUT: 50, FORWARD: 50, OUTPUT: 50 },
};

interface SavedRules extends IptablesDump {
  readonly tables: readonly IptablesTable[];
}

export function readBaseChains({ dumps, nft }: RuleTexts): BaseChains {
  const saved = dumps.map((dump) => ({ ...dump, tables: readTables(dump.text, dump.family).map(withOwnChains) }));
  const natives = nft === null ? [] : nftChains(nft, saved);
  const chains = [...saved.flatMap(iptablesChains), ...natives];
  return {
    chains: chains.sort((a, b) => HOOKS.indexOf(a.hook) - HOOKS.indexOf(b.hook) || a.priority - b.priority),
    offloads: nft?.objects.some((object) => isJson(object) && 'flowtable' in object) ?? false,
  };
}

/**
 * Our chains of the table nat without their rules, of which there can be tens of thousands: where the flow of a forward comes
 * to the first, it is translated; and the second is for those that come from inside.
 */
function withOwnChains(table: IptablesTable): IptablesTable {
  if (table.name !== 'nat') return table;
  const chains = new Map(table.chains);
  if (chains.has(TRANSLATE)) chains.set(TRANSLATE, [{ text: TRANSLATE, steps: [{ do: { kind: 'accept' } }] }]);
  if (chains.has(MASQUERADE)) chains.set(MASQUERADE, []);
  return { ...table, chains };
}

function iptablesChains({ program, family, tables }: SavedRules): readonly BaseChain[] {
  return tables.flatMap(({ name, policies, chains }) => {
    const isDocker = chains.has('DOCKER-USER');
    return Object.entries(TABLES[name] ?? {}).flatMap(([chain, priority]) => {
      const [policy, hook] = [policies.get(chain), HOOKS.find((one) => one.toUpperCase() === chain)];
      if (policy === undefined || hook === undefined) return [];
      return {
        name: `${program} ${name} ${chain}`,
        hook,
        devices: [],
        isNat: name === 'nat',
        priority,
        policy,
        families: [family],
        author: isDocker && name === 'filter' && chain === 'FORWARD' ? 'docker' : null,
        chain,
        chains,
      };
    });
  });
}

const FAMILIES: Readonly<Record<string, readonly Family[]>> = { ip: [4], ip6: [6], inet: [4, 6], netdev: [4, 6] };

function nftChains(nft: NonNullable<RuleTexts['nft']>, saved: readonly SavedRules[]): readonly BaseChain[] {
  const chains = readNftChains(nft);
  const contents = new Map(
    Array.from(Map.groupBy(chains, tableOf), ([key, inTable]): [string, FilterChains] => {
      return [key, new Map(inTable.map(({ name, rules }) => [name, rules.map(readNftRule)]))];
    }),
  );
  return chains.flatMap((chain) => {
    const { family, table, name, base } = chain;
    const hook = HOOKS.find((one) => one === base?.hook);
    const families = FAMILIES[family];
    if (base === null || hook === undefined || families === undefined) return [];
    if (isIptables(chain, saved)) return [];
    const { type, priority, policy, devices } = base;
    const author = table === 'firewalld' && hook === 'forward' ? 'firewalld' : null;
    return {
      name: `nft ${family} ${table} ${name}`,
      hook,
      devices,
      isNat: type === 'nat',
      priority,
      policy,
      families,
      author,
      chain: name,
      chains: contents.get(tableOf(chain)) ?? new Map(),
    };
  });
}

function tableOf({ family, table }: { readonly family: string; readonly table: string }): string {
  return `${family} ${table}`;
}

/** Whether iptables-nft has the table, and tells more of it than nft can. */
function isIptables(
  { family, table }: { readonly family: string; readonly table: string },
  saved: readonly SavedRules[],
): boolean {
  return saved.some((rules) => {
    const isSame = rules.variant === 'nft' && nftFamily(rules.family) === family;
    return isSame && rules.tables.some(({ name }) => name === table);
  });
}
