import { closeSync, existsSync, readFileSync } from 'node:fs';
import type { Family } from '../../model/address.ts';
import { openInternetSocket, readSocketOption, SystemCallError } from '../libc.ts';
import { get, textAttribute } from '../netlink/netlink.ts';
import { CHAIN, NFT_MSG } from '../netlink/nf-tables.ts';
import { NFPROTO, nftMessageType } from '../netlink/nfnetlink.ts';

/** `iptables` is two programs: one writes nftables of certain names, the other what kernels had before (iptables(8), xtables-nft(8)). */
export type IptablesVariant = 'nft' | 'legacy';

/** The table `nat` of iptables (4) or ip6tables (6), as one of the two has it. */
export interface NatTable {
  readonly variant: IptablesVariant;
  readonly family: Family;
}

export const NAT = 'nat';
const FAMILIES = [4, 6] as const;

/** Which of iptables-nft's tables `nat` have one of these chains, in the namespace of the netfilter socket. */
export function findNftChains(fd: number, chains: readonly string[]): readonly NatTable[] {
  const has = (family: Family) => chains.some((chain) => hasNftChain(fd, family, chain));
  return FAMILIES.filter(has).map((family) => ({ variant: 'nft', family }));
}

function hasNftChain(fd: number, family: Family, chain: string): boolean {
  const request = Buffer.concat([
    Buffer.from([NFPROTO[family], 0, 0, 0]),
    textAttribute(CHAIN.table, NAT),
    textAttribute(CHAIN.name, chain),
  ]);
  return get(fd, nftMessageType(NFT_MSG.getChain), request) !== undefined;
}

/**
 * Which of iptables-legacy's tables `nat` have one of these chains, in the network namespace of the calling thread.
 * Asking for a table would make it, so it is looked up first which there are. Needs CAP_NET_ADMIN there.
 */
export function findLegacyChains(chains: readonly string[]): readonly NatTable[] {
  const has = (family: Family) => {
    const entries = hasLegacyTable(family) ? readEntries(family) : undefined;
    return entries !== undefined && chains.some((chain) => entries.includes(`${chain}\0`));
  };
  return FAMILIES.filter(has).map((family) => ({ variant: 'legacy', family }));
}

const NAMES = { 4: '/proc/thread-self/net/ip_tables_names', 6: '/proc/thread-self/net/ip6_tables_names' } as const;

function hasLegacyTable(family: Family): boolean {
  const file = NAMES[family];
  return existsSync(file) && readFileSync(file, 'utf8').split('\n').includes(NAT);
}

/** linux/in.h: SOL_IP; SOL_IPV6. */
const LEVEL = { 4: 0, 6: 41 } as const;
/** linux/netfilter_ipv4/ip_tables.h, …ipv6/ip6_tables.h: alike in both. */
const GET_INFO = 64;
const GET_ENTRIES = 65;
const NAME_SIZE = 32;
const INFO_SIZE = 84;
const ENTRIES_SIZE_AT = 80;
const ENTRIES_HEADER = 40;
const MOST_READS = 8;

/** The table as the kernel keeps it, in which chains have their names in plain text; `undefined`: it is gone. */
function readEntries(family: Family): Buffer | undefined {
  const fd = openInternetSocket(family);
  try {
    for (let tries = 0; tries < MOST_READS; tries++) {
      const entries = tryReadEntries(fd, family);
      if (entries !== 'changed') return entries;
    }
  } finally {
    closeSync(fd);
  }
  throw new SystemCallError('reading a table that never rests', 'EAGAIN');
}

function tryReadEntries(fd: number, family: Family): Buffer | undefined | 'changed' {
  try {
    const info = Buffer.alloc(INFO_SIZE);
    info.write(NAT, 0);
    readSocketOption(fd, LEVEL[family], GET_INFO, info);
    const size = info.readUInt32LE(ENTRIES_SIZE_AT);
    const entries = Buffer.alloc(ENTRIES_HEADER + size);
    entries.write(NAT, 0);
    entries.writeUInt32LE(size, NAME_SIZE);
    readSocketOption(fd, LEVEL[family], GET_ENTRIES, entries);
    return entries.subarray(ENTRIES_HEADER);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.errno === 'EAGAIN') return 'changed';
    if (error.errno === 'ENOENT') return undefined;
    throw error;
  }
}
