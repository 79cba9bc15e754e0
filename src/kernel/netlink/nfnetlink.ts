import { SystemCallError } from '../libc.ts';
import { type Attributes, attributes, get, InterruptedDump, type Message, textOf } from './netlink.ts';
import { CHAIN, NFT_MSG, RULE } from './nf-tables.ts';

/** linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h. Numbers inside attributes are in network byte order. */
const NFNL_SUBSYS_NFTABLES = 10;
export const NFPROTO_INET = 1;
export const NFPROTO = { 4: 2, 6: 10 } as const;
export const NFNLGRP_NFTABLES = 7;
export const NFNLGRP_NFTRACE = 9;

/** `struct nfgenmsg`, the fixed part of every message. */
export const NFGENMSG = 4;
const NFTA_GEN_ID = 1;
/** The table's name is attribute 1 in the messages of tables, chains, rules, sets, elements and objects alike. */
const NFTA_TABLE = 1;
const MOST_READS = 8;

export function nftMessageType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message;
}

/** `struct nfgenmsg` for the inet family, and attributes behind it. */
export function nftRequest(...attached: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([NFPROTO_INET, 0, 0, 0]), ...attached]);
}

/** The number of the namespace's ruleset: raised by one with every transaction of anybody. */
export function readGeneration(fd: number): number {
  const answer = get(fd, nftMessageType(NFT_MSG.getGeneration), nftRequest());
  const id = answer && attributes(answer.subarray(NFGENMSG)).get(NFTA_GEN_ID);
  if (id === undefined) throw new SystemCallError('reading the ruleset generation', 'ENODATA');
  return id.readUInt32BE(0);
}

/** Generations are 32-bit counters that wrap around. */
export function isLater(generation: number, than: number): boolean {
  return ((generation - than) | 0) > 0;
}

/** Reads several dumps as of one generation of the ruleset, again if somebody changes it meanwhile. */
export function readConsistently<Value>(fd: number, read: () => Value): { generation: number; value: Value } {
  for (let tries = 0; tries < MOST_READS; tries++) {
    try {
      const generation = readGeneration(fd);
      const value = read();
      if (readGeneration(fd) === generation) return { generation, value };
    } catch (error) {
      if (!(error instanceof InterruptedDump)) throw error;
    }
  }
  throw new SystemCallError('reading a ruleset that never rests', 'EAGAIN');
}

/** What was made, changed or removed. */
export interface RulesetObject {
  readonly kind: 'object';
  /** A number of linux/netfilter.h, since tables of several may have the same name. */
  readonly family: number;
  readonly table: string;
  /** Of a chain or a rule; else `null`. */
  readonly chain: string | null;
  readonly isElement: boolean;
}

export type RulesetEvent =
  | RulesetObject
  /** The end of one transaction: everything before it belongs to this generation. */
  | { readonly kind: 'generation'; readonly generation: number };

/** What a message of the group NFNLGRP_NFTABLES tells. */
export function rulesetEvent({ type, body }: Message): RulesetEvent | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return undefined;
  const found = attributes(body.subarray(NFGENMSG));
  const first = found.get(NFTA_TABLE);
  if (first === undefined) return undefined;
  const message = type & 0xff;
  if (message === NFT_MSG.newGeneration) return { kind: 'generation', generation: first.readUInt32BE(0) };
  return {
    kind: 'object',
    family: body[0] ?? 0,
    table: textOf(first),
    chain: chainOf(message, found),
    isElement: message === NFT_MSG.newElements || message === NFT_MSG.deleteElements,
  };
}

function chainOf(message: number, found: Attributes): string | null {
  if (message === NFT_MSG.newChain || message === NFT_MSG.deleteChain) return textOf(found.get(CHAIN.name));
  if (message === NFT_MSG.newRule || message === NFT_MSG.deleteRule) return textOf(found.get(RULE.chain));
  return null;
}
