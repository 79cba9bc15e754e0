import type { Family } from '../model/address.ts';

/** The two kernel interfaces that iptables has; rules made by one are not seen by the other. */
export type IptablesVariant = 'nft' | 'legacy';

/** All tables of one family, as `iptables-save` prints them. */
export interface IptablesDump {
  readonly variant: IptablesVariant;
  readonly family: Family;
  /** What reads and changes these rules: `iptables-nft`, `ip6tables-legacy`, … */
  readonly program: string;
  readonly text: string;
}

/** Tables of nf_tables, iptables-nft's among them; what is in named sets is left out. */
export interface NftRuleset {
  /** The list `nftables` of `nft -j` (man 5 libnftables-json). */
  readonly objects: readonly unknown[];
  /** The same as `nft -a` prints it: for people, with the handles of rules. */
  readonly text: string;
}

/** All rules of a network namespace, as programs print them. */
export interface RuleTexts {
  /** Where there are such tables; only what iptables can print of iptables-nft's. */
  readonly dumps: readonly IptablesDump[];
  /** `null`: there is no table. */
  readonly nft: NftRuleset | null;
}

/** nft's name of the family of one address family. */
export function nftFamily(family: Family): string {
  return family === 4 ? 'ip' : 'ip6';
}
