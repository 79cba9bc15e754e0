import { addressOf } from '../model/address.ts';
import { SystemCallError } from './libc.ts';
import { attributes, dump, get, listAttributes, textAttribute, textOf } from './netlink.ts';
import { NFGENMSG, NFT_MSG, nftMessageType, nftRequest } from './nfnetlink.ts';

/** One element of a map, in nft's words: `192.0.2.1 . 6 . 80`, `10.0.0.1 . 8080`. Protocols are numbers. */
export interface Element {
  readonly key: string;
  readonly value: string;
  readonly comment: string;
}

/** A table of the inet family as the kernel has it. */
export interface TableState {
  /**
   * Everything but elements, handles and counters: flags, sets, chains and rules as the kernel keeps them.
   * Tables that were made by the same script have the same; any foreign rule, chain, set or other object changes it.
   */
  readonly fingerprint: string;
  readonly elements: ReadonlyMap<string, readonly Element[]>;
}

/** linux/netfilter/nf_tables.h */
const TABLE = { name: 1, flags: 2, use: 3 } as const;
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const SET = { table: 1, name: 2, flags: 3, keyType: 4, dataType: 6 } as const;
const ELEMENTS = { table: 1, set: 2, list: 3 } as const;
const ELEMENT = { key: 1, data: 2, userdata: 6, keyEnd: 10 } as const;
const DATA_VALUE = 1;
/** libnftnl's udata.h: one byte type (0: comment), one byte length, text with NUL. */
const USERDATA_COMMENT = 0;

/** nft's datatype.h: a concatenation is numbered by six bits a part. */
const DATATYPE = { ipv4: 7, ipv6: 8, protocol: 12, port: 13 } as const;

interface SetShape {
  readonly name: string;
  readonly keyTypes: readonly number[];
  readonly dataTypes: readonly number[];
  readonly line: string;
}

/** The table of this name in the namespace of the netfilter socket; `null`: there is none. */
export function readTable(fd: number, table: string): TableState | null {
  const head = readHead(fd, table);
  if (head === null) return null;
  const sets = readSets(fd, table);
  const lines = [head, ...sets.map(({ line }) => line), ...readChains(fd, table), ...readRules(fd, table)];
  return {
    fingerprint: lines.join('\n'),
    elements: new Map(sets.map((set) => [set.name, readElements(fd, table, set)])),
  };
}

/** The table's flags, and how many chains, sets and objects of any kind it has. */
function readHead(fd: number, table: string): string | null {
  try {
    const answer = get(fd, nftMessageType(NFT_MSG.getTable), nftRequest(textAttribute(TABLE.name, table)));
    const found = attributes(answer.subarray(NFGENMSG));
    return `table ${hex(found.get(TABLE.flags))} ${hex(found.get(TABLE.use))}`;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === 'ENOENT') return null;
    throw error;
  }
}

function readSets(fd: number, table: string): readonly SetShape[] {
  const sets: SetShape[] = [];
  dump(fd, nftMessageType(NFT_MSG.getSet), nftRequest(textAttribute(SET.table, table)), ({ body }) => {
    const found = attributes(body.subarray(NFGENMSG));
    const name = textOf(found.get(SET.name));
    const [flags, keyType, dataType] = [found.get(SET.flags), found.get(SET.keyType), found.get(SET.dataType)];
    sets.push({
      name,
      keyTypes: concatenation(keyType),
      dataTypes: concatenation(dataType),
      line: `set ${name} ${hex(flags)} ${hex(keyType)} ${hex(dataType)}`,
    });
  });
  return sets.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readChains(fd: number, table: string): readonly string[] {
  const lines: string[] = [];
  dump(fd, nftMessageType(NFT_MSG.getChain), nftRequest(), ({ body }) => {
    const found = attributes(body.subarray(NFGENMSG));
    if (textOf(found.get(CHAIN.table)) !== table) return;
    const hook = attributes(found.get(CHAIN.hook) ?? Buffer.alloc(0));
    const where = `${hex(hook.get(HOOK.number))} ${hex(hook.get(HOOK.priority))} ${hex(found.get(CHAIN.policy))}`;
    lines.push(`chain ${textOf(found.get(CHAIN.name))} ${textOf(found.get(CHAIN.type))} ${where}`);
  });
  return lines.sort();
}

/** In the kernel's order: within a chain it decides. */
function readRules(fd: number, table: string): readonly string[] {
  const lines: string[] = [];
  dump(fd, nftMessageType(NFT_MSG.getRule), nftRequest(textAttribute(RULE.table, table)), ({ body }) => {
    const found = attributes(body.subarray(NFGENMSG));
    if (textOf(found.get(RULE.table)) !== table) return;
    lines.push(`rule ${textOf(found.get(RULE.chain))} ${hex(found.get(RULE.expressions))}`);
  });
  return lines;
}

function readElements(fd: number, table: string, set: SetShape): readonly Element[] {
  const elements: Element[] = [];
  const request = nftRequest(textAttribute(ELEMENTS.table, table), textAttribute(ELEMENTS.set, set.name));
  dump(fd, nftMessageType(NFT_MSG.getSetElements), request, ({ body }) => {
    const list = attributes(body.subarray(NFGENMSG)).get(ELEMENTS.list);
    if (list === undefined) return;
    for (const [, element] of listAttributes(list)) elements.push(readElement(attributes(element), set));
  });
  return elements;
}

function readElement(found: ReadonlyMap<number, Buffer>, set: SetShape): Element {
  const key = valueText(found.get(ELEMENT.key), set.keyTypes);
  const end = found.has(ELEMENT.keyEnd) ? `-${valueText(found.get(ELEMENT.keyEnd), set.keyTypes)}` : '';
  return {
    key: `${key}${end}`,
    value: valueText(found.get(ELEMENT.data), set.dataTypes),
    comment: commentOf(found.get(ELEMENT.userdata)),
  };
}

function valueText(data: Buffer | undefined, types: readonly number[]): string {
  if (data === undefined) return '';
  const value = attributes(data).get(DATA_VALUE);
  if (value === undefined) return hex(data);
  let at = 0;
  const parts = types.map((type) => {
    const part = partText(value, at, type);
    at += type === DATATYPE.ipv6 ? 16 : 4;
    return part;
  });
  return parts.join(' . ');
}

/** Every part of a concatenation is padded to four bytes. */
function partText(value: Buffer, at: number, type: number): string {
  switch (type) {
    case DATATYPE.ipv4:
      return `${value[at]}.${value[at + 1]}.${value[at + 2]}.${value[at + 3]}`;
    case DATATYPE.ipv6:
      return addressOf(6, BigInt(`0x${value.toString('hex', at, at + 16)}`)).text;
    case DATATYPE.protocol:
      return String(value[at]);
    case DATATYPE.port:
      return String(value.readUInt16BE(at));
    default:
      return `0x${value.toString('hex', at, at + 4)}`;
  }
}

function concatenation(type: Buffer | undefined): readonly number[] {
  const parts: number[] = [];
  for (let rest = type?.readUInt32BE(0) ?? 0; rest > 0; rest >>>= 6) parts.unshift(rest & 0x3f);
  return parts;
}

function commentOf(userdata: Buffer | undefined): string {
  if (userdata === undefined || userdata.length < 2 || userdata[0] !== USERDATA_COMMENT) return '';
  return textOf(userdata.subarray(2, 2 + (userdata[1] ?? 0)));
}

function hex(value: Buffer | undefined): string {
  return value === undefined ? '-' : value.toString('hex');
}
