import { readFileSync } from 'node:fs';
import type { Family } from '../../model/address.ts';
import { attributes, dump, textOf } from '../netlink/netlink.ts';
import { NFT_FAMILIES, NFT_MSG, TABLE } from '../netlink/nf-tables.ts';
import { NFGENMSG, NFPROTO_INET, nftMessageType } from '../netlink/nfnetlink.ts';

/** Which tables of rules others have in a network namespace. */
export interface OthersTables {
  /** Of nf_tables, iptables-nft's among them. */
  readonly nft: readonly NftTableName[];
  /** Names of tables of ip_tables and ip6_tables, which iptables-legacy uses. */
  readonly legacy: Readonly<Record<Family, readonly string[]>>;
}

export interface NftTableName {
  /** In nft's words: `ip`, `ip6`, `inet`, … */
  readonly family: string;
  readonly name: string;
}

/** `struct nfgenmsg` that asks for tables of every family. */
const EVERY_FAMILY = Buffer.alloc(NFGENMSG);

/** By the netfilter socket of a namespace: all tables of nf_tables but ours, which is called `own`. */
export function readNftTables(fd: number, own: string): readonly NftTableName[] {
  const tables: NftTableName[] = [];
  dump(fd, nftMessageType(NFT_MSG.getTable), EVERY_FAMILY, ({ body }) => {
    const number = body[0] ?? 0;
    const name = textOf(attributes(body.subarray(NFGENMSG)).get(TABLE.name));
    if (number !== NFPROTO_INET || name !== own) tables.push({ family: NFT_FAMILIES[number] ?? String(number), name });
  });
  return tables;
}

/** Of the namespace that the calling thread is in. A table is there from when a program first looked at it. */
export function readLegacyTables(): OthersTables['legacy'] {
  return { 4: namesIn('ip_tables_names'), 6: namesIn('ip6_tables_names') };
}

function namesIn(file: string): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${file}`, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    // A kernel without that interface does not have the file.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
