import { attributes, dump, get, listAttributes, textAttribute, textOf } from './netlink.ts';
import {
  CHAIN,
  DATA_VALUE,
  ELEMENT,
  ELEMENTS,
  HOOK,
  NFT_MSG,
  RULE,
  SET,
  TABLE,
  USERDATA_COMMENT,
} from './nf-tables.ts';
import { NFGENMSG, nftMessageType, nftRequest } from './nfnetlink.ts';
import { datatypesOf, readValue } from './nft-values.ts';

/** One element of a map, in nft's words: `192.0.2.1 . 6 . 80`, `10.0.0.1 . 8080`. Protocols are numbers. */
export interface Element {
  /** An interval has its first key, a hyphen and its last key: `10.0.0.0 . 80-10.0.0.255 . 90`. */
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

type Attributes = ReadonlyMap<number, Buffer>;

/** What a table consists of but for elements, as the kernel tells it. */
export interface TableObjects {
  readonly table: Attributes;
  readonly sets: readonly Attributes[];
  readonly chains: readonly Attributes[];
  /** In the kernel's order: within a chain it decides. */
  readonly rules: readonly Attributes[];
}

/** What the keys and values of a set or map are made of. */
export interface SetShape {
  readonly name: string;
  readonly keyTypes: readonly number[];
  readonly dataTypes: readonly number[];
}

/** The table of this name in the namespace of the netfilter socket; `null`: there is none. */
export function readTable(fd: number, table: string): TableState | null {
  const objects = readObjects(fd, table);
  if (objects === null) return null;
  const shapes = objects.sets.map(shapeOf);
  return {
    fingerprint: fingerprintOf(objects),
    elements: new Map(shapes.map((shape) => [shape.name, readElements(fd, table, shape)])),
  };
}

export function readObjects(fd: number, table: string): TableObjects | null {
  const head = readHead(fd, table);
  if (head === null) return null;
  return {
    table: head,
    sets: list(fd, NFT_MSG.getSet, table),
    chains: list(fd, NFT_MSG.getChain, table),
    rules: list(fd, NFT_MSG.getRule, table),
  };
}

function readHead(fd: number, table: string): Attributes | null {
  const answer = get(fd, nftMessageType(NFT_MSG.getTable), nftRequest(textAttribute(TABLE.name, table)));
  return answer === undefined ? null : attributes(answer.subarray(NFGENMSG));
}

/** The table's name is attribute 1 of sets, chains and rules alike. Chains are told of all tables. */
function list(fd: number, message: number, table: string): readonly Attributes[] {
  const found: Attributes[] = [];
  dump(fd, nftMessageType(message), nftRequest(textAttribute(SET.table, table)), ({ body }) => {
    const object = attributes(Buffer.from(body.subarray(NFGENMSG)));
    if (textOf(object.get(SET.table)) === table) found.push(object);
  });
  return found;
}

export function shapeOf(set: Attributes): SetShape {
  const types = (attribute: number) => datatypesOf(set.get(attribute)?.readUInt32BE(0) ?? 0);
  return { name: textOf(set.get(SET.name)), keyTypes: types(SET.keyType), dataTypes: types(SET.dataType) };
}

/** The table's `use` is how many chains, sets and objects of any kind it has. */
export function fingerprintOf({ table, sets, chains, rules }: TableObjects): string {
  const lines = [
    `table ${hex(table.get(TABLE.flags))} ${hex(table.get(TABLE.use))}`,
    ...sets.map(setLine).sort(),
    ...chains.map(chainLine).sort(),
    ...rules.map((rule) => `rule ${textOf(rule.get(RULE.chain))} ${hex(rule.get(RULE.expressions))}`),
  ];
  return lines.join('\n');
}

function setLine(set: Attributes): string {
  return `set ${textOf(set.get(SET.name))} ${hex(set.get(SET.flags))} ${hex(set.get(SET.keyType))} ${hex(set.get(SET.dataType))}`;
}

function chainLine(chain: Attributes): string {
  const hook = attributes(chain.get(CHAIN.hook) ?? Buffer.alloc(0));
  const where = `${hex(hook.get(HOOK.number))} ${hex(hook.get(HOOK.priority))} ${hex(chain.get(CHAIN.policy))}`;
  return `chain ${textOf(chain.get(CHAIN.name))} ${textOf(chain.get(CHAIN.type))} ${where}`;
}

function readElements(fd: number, table: string, shape: SetShape): readonly Element[] {
  const elements: Element[] = [];
  const request = nftRequest(textAttribute(ELEMENTS.table, table), textAttribute(ELEMENTS.set, shape.name));
  dump(fd, nftMessageType(NFT_MSG.getElements), request, ({ body }) => {
    const listed = attributes(body.subarray(NFGENMSG)).get(ELEMENTS.list);
    if (listed === undefined) return;
    for (const [, element] of listAttributes(listed)) elements.push(readElement(attributes(element), shape));
  });
  return elements;
}

function readElement(found: Attributes, { keyTypes, dataTypes }: SetShape): Element {
  const key = valueText(found.get(ELEMENT.key), keyTypes);
  const end = found.has(ELEMENT.keyEnd) ? `-${valueText(found.get(ELEMENT.keyEnd), keyTypes)}` : '';
  return {
    key: `${key}${end}`,
    value: valueText(found.get(ELEMENT.data), dataTypes),
    comment: commentOf(found.get(ELEMENT.userdata)),
  };
}

function valueText(data: Buffer | undefined, types: readonly number[]): string {
  if (data === undefined) return '';
  const value = attributes(data).get(DATA_VALUE);
  return value === undefined ? hex(data) : readValue(value, types);
}

function commentOf(userdata: Buffer | undefined): string {
  if (userdata === undefined || userdata.length < 2 || userdata[0] !== USERDATA_COMMENT) return '';
  return textOf(userdata.subarray(2, 2 + (userdata[1] ?? 0)));
}

function hex(value: Buffer | undefined): string {
  return value === undefined ? '-' : value.toString('hex');
}
