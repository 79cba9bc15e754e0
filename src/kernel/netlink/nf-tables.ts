/** Numbers of linux/netfilter/nf_tables.h: message types, and attributes of each kind of message. */

export const NFT_MSG = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  newElements: 12,
  getElements: 13,
  deleteElements: 14,
  newGeneration: 15,
  getGeneration: 16,
  trace: 17,
} as const;

/** linux/netfilter.h, in nft's words. */
export const NFT_FAMILIES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};

export const TABLE = { name: 1, flags: 2, use: 3 } as const;
export const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7, userdata: 12 } as const;
export const HOOK = { number: 1, priority: 2 } as const;
export const RULE = { table: 1, chain: 2, expressions: 4, userdata: 7 } as const;
export const SET = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  description: 9,
  id: 10,
  timeout: 11,
  userdata: 13,
  expression: 17,
  expressions: 18,
} as const;
export const ELEMENTS = { table: 1, set: 2, list: 3 } as const;
export const ELEMENT = {
  key: 1,
  data: 2,
  timeout: 4,
  expiration: 5,
  userdata: 6,
  expression: 7,
  keyEnd: 10,
} as const;
export const EXPRESSION = { name: 1, data: 2 } as const;
export const LOOKUP = { set: 1 } as const;
export const NAT = { firstAddress: 3, firstPort: 5, lastPort: 6, flags: 7 } as const;
export const BITWISE = { source: 1, destination: 2, length: 3, operation: 6, data: 7 } as const;
export const COUNTER = { bytes: 1, packets: 2 } as const;

export const TRACE = {
  table: 1,
  chain: 2,
  handle: 3,
  type: 4,
  verdict: 5,
  id: 6,
  networkHeader: 8,
  transportHeader: 9,
  incoming: 10,
  outgoing: 12,
  policy: 16,
  flowId: 18,
  flowState: 21,
} as const;
export const VERDICT = { code: 1, chain: 2 } as const;

/** A flag of a table that is gone with the socket that made it, and that nobody else can change (Linux 5.12). */
export const NFT_TABLE_OWNED = 0x2;

/** A set that is written in a rule, and cannot change. */
export const NFT_SET_ANONYMOUS = 0x1;
export const LIST_ITEM = 1;
export const DATA_VALUE = 1;
export const GENERATION_ID = 1;

/** libnftnl's udata.h: one byte type, one byte length, text with NUL. */
export const USERDATA_COMMENT = 0;
