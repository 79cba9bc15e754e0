import { attributes, dump, get, listAttributes, textAttribute, textOf } from '../netlink/netlink.ts';
import {
  CHAIN,
  DATA_VALUE,
  ELEMENT,
  ELEMENTS,
  HOOK,
  NFT_MSG,
  NFT_SET_ANONYMOUS,
  RULE,
  SET,
  TABLE,
  USERDATA_COMMENT,
} from '../netlink/nf-tables.ts';
import { NFGENMSG, nftMessageType, nftRequest } from '../netlink/nfnetlink.ts';
import { datatypesOf, readValue } from './nft-values.ts';

/** One element of a map, in nft's words: `192.0.2.1 . 6 . 80`, `10.0.0.1 . 8080`. Protocols are numbers. */
export interface Element {
  /** An interval has its first key, a hyphen and its last key: `80 . 10.0.0.0-90 . 10.0.0.255`. */
  readonly key: string;
  readonly value: string;
  readonly comment: string;
  /** When the kernel takes it away by itself, in ms since 1970, by the clock as it is now. Without it: never. */
  readonly expires?: number;
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
  /** Lists of elements, as they are told, of sets that are written in rules and cannot change. */
  readonly constants: readonly { readonly set: string; readonly elements: Buffer }[];
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
  const shapes = shapesOf(objects.sets);
  return {
    fingerprint: fingerprintOf(objects),
    elements: new Map(shapes.map((shape) => [shape.name, readElements(fd, table, shape)])),
  };
}

/** Of the table's sets that can change. */
export function readShapes(fd: number, table: string): readonly SetShape[] {
  return shapesOf(list(fd, NFT_MSG.getSet, table));
}

function shapesOf(sets: readonly Attributes[]): readonly SetShape[] {
  return sets.filter((set) => !isConstant(set)).map(shapeOf);
}

export function readObjects(fd: number, table: string): TableObjects | null {
  const head = readHead(fd, table);
  if (head === null) return null;
  const sets = list(fd, NFT_MSG.getSet, table);
  return {
    table: head,
    sets,
    chains: list(fd, NFT_MSG.getChain, table),
    rules: list(fd, NFT_MSG.getRule, table),
    constants: sets.filter(isConstant).flatMap((set) => {
      const name = textOf(set.get(SET.name));
      return listElements(fd, table, name).map((elements) => ({ set: name, elements }));
    }),
  };
}

function isConstant(set: Attributes): boolean {
  return ((set.get(SET.flags)?.readUInt32BE(0) ?? 0) & NFT_SET_ANONYMOUS) !== 0;
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
export function fingerprintOf({ table, sets, chains, rules, constants }: TableObjects): string {
  const lines = [
    `table ${hex(table.get(TABLE.flags))} ${hex(table.get(TABLE.use))}`,
    ...sets.map(setLine).sort(),
    ...chains.map(chainLine).sort(),
    ...constants.map(({ set, elements }) => `elements ${set} ${hex(elements)}`),
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
  return listElements(fd, table, shape.name).flatMap((elements) =>
    Array.from(listAttributes(elements), ([, element]) => readElement(attributes(element), shape)),
  );
}

/** As they come: in pieces. */
export function listElements(fd: number, table: string, set: string): readonly Buffer[] {
  const lists: Buffer[] = [];
  const request = nftRequest(textAttribute(ELEMENTS.table, table), textAttribute(ELEMENTS.set, set));
  dump(fd, nftMessageType(NFT_MSG.getElements), request, ({ body }) => {
    const listed = attributes(body.subarray(NFGENMSG)).get(ELEMENTS.list);
    if (listed !== undefined) lists.push(Buffer.from(listed));
  });
  return lists;
}

function readElement(found: Attributes, shape: SetShape): Element {
  return {
    key: keyOf(found, shape),
    value: valueText(found.get(ELEMENT.data), shape.dataTypes),
    comment: commentOf(found.get(ELEMENT.userdata)),
    ...expiryOf(found.get(ELEMENT.expiration)),
  };
}

function expiryOf(left: Buffer | undefined): Pick<Element, 'expires'> {
  return left === undefined ? {} : { expires: Date.now() + Number(left.readBigUInt64BE(0)) };
}

export function keyOf(found: Attributes, { keyTypes }: SetShape): string {
  const key = valueText(found.get(ELEMENT.key), keyTypes);
  const end = found.get(ELEMENT.keyEnd);
  return end === undefined ? key : `${key}-${valueText(end, keyTypes)}`;
}

function valueText(data: Buffer | undefined, types: readonly number[]): string {
  if (data === undefined) return '';
  const value = attributes(data).get(DATA_VALUE);
  return value === undefined ? hex(data) : readValue(value, types);
}

export function commentOf(userdata: Buffer | undefined): string {
  if (userdata === undefined || userdata.length < 2 || userdata[0] !== USERDATA_COMMENT) return '';
  return textOf(userdata.subarray(2, 2 + (userdata[1] ?? 0)));
}

function hex(value: Buffer | undefined): string {
  return value === undefined ? '-' : value.toString('hex');
}
