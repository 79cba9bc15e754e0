import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST } from '../netlink/netlink.ts';
import { createNetlinkWriter, type NetlinkWriter } from '../netlink/netlink-writer.ts';
import {
  COUNTER,
  DATA_VALUE,
  ELEMENT,
  ELEMENTS,
  EXPRESSION,
  LIST_ITEM,
  NFT_MSG,
  TABLE,
  USERDATA_COMMENT,
} from '../netlink/nf-tables.ts';
import { NFPROTO_INET, nftMessageType } from '../netlink/nfnetlink.ts';
import type { Blueprint } from './nft-blueprint.ts';
import type { Element, SetShape } from './nft-table.ts';
import { mayBeInterval, sizeOf, writeValue } from './nft-values.ts';

/** An element, and the map it belongs into. */
export interface SetElement extends Element {
  readonly set: string;
  /** What its counter begins with, where it has one; default: nothing. */
  readonly counted?: { readonly packets: number; readonly bytes: number };
}

/** What is to happen to our table, all of it or nothing. */
export interface TableChange {
  /** It is kept, made where there is none, made anew in place of the one that is there, or taken away. */
  readonly table: 'keep' | 'create' | 'replace' | 'delete';
  /** The same key may be in both: its value changes. */
  readonly remove: readonly SetElement[];
  readonly add: readonly SetElement[];
}

/** One transaction, ready to be sent. */
export interface Batch {
  readonly data: Buffer;
  /** What the message of this sequence number does, for people. */
  describe(sequence: number): string;
}

/** linux/netfilter/nfnetlink.h */
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;

/** `struct nfgenmsg` { family, version, resource id in network byte order }. */
const INET = Buffer.from([NFPROTO_INET, 0, 0, 0]);
const BATCH = Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]);

/** An attribute's length has 16 bits, and the largest element is far below the difference. */
const FULL_LIST = 60_000;

type Put = (type: number, flags: number, description: string, body: () => void, header?: Buffer) => void;

/** `flags`: of the table, where it is made. */
export function batchOf({ table, remove, add }: TableChange, blueprint: Blueprint, flags = 0): Batch {
  const writer = createNetlinkWriter();
  const now = Date.now();
  const descriptions: string[] = [];
  const put: Put = (type, flags, description, body, header = INET) => {
    writer.message(type, NLM_F_REQUEST | flags, descriptions.length, () => {
      writer.bytes(header);
      body();
    });
    descriptions.push(description);
  };
  put(NFNL_MSG_BATCH_BEGIN, 0, 'beginning', () => {}, BATCH);
  if (table === 'replace' || table === 'delete') dropTable(writer, put, blueprint);
  if (table === 'replace' || table === 'create') makeTable(writer, put, blueprint, flags);
  for (const shape of blueprint.sets.values()) {
    const own = remove.filter(({ set }) => set === shape.name);
    const type = nftMessageType(NFT_MSG.deleteElements);
    const write = (element: SetElement) => writeKey(writer, shape, element);
    putLists(writer, own, blueprint, shape, write, (body) => put(type, 0, `removing from ${shape.name}`, body));
  }
  for (const shape of blueprint.sets.values()) {
    const own = add.filter(({ set }) => set === shape.name);
    const [type, flags] = [nftMessageType(NFT_MSG.newElements), NLM_F_CREATE | NLM_F_EXCL];
    const write = (element: SetElement) => writeElement(writer, shape, element, now);
    putLists(writer, own, blueprint, shape, write, (body) => put(type, flags, `adding to ${shape.name}`, body));
  }
  put(NFNL_MSG_BATCH_END, 0, 'the end', () => {}, BATCH);
  return { data: writer.finish(), describe: (sequence) => descriptions[sequence] ?? 'the transaction' };
}

function dropTable(writer: NetlinkWriter, put: Put, { name }: Blueprint): void {
  put(nftMessageType(NFT_MSG.deleteTable), 0, 'deleting the table', () => writer.text(TABLE.name, name));
}

function makeTable(writer: NetlinkWriter, put: Put, { name, objects }: Blueprint, flags: number): void {
  put(nftMessageType(NFT_MSG.newTable), NLM_F_CREATE | NLM_F_EXCL, 'making the table', () => {
    writer.text(TABLE.name, name);
    if (flags !== 0) writer.number(TABLE.flags, flags);
  });
  for (const { type, body } of objects) {
    put(type, NLM_F_CREATE | NLM_F_APPEND, 'making what is in the table', () => writer.bytes(body));
  }
}

/** As many messages as the elements need. */
function putLists(
  writer: NetlinkWriter,
  elements: readonly SetElement[],
  { name }: Blueprint,
  shape: SetShape,
  write: (element: SetElement) => void,
  put: (body: () => void) => void,
): void {
  const rest = elements.values();
  for (let next = rest.next(); next.done !== true; ) {
    put(() => {
      writer.text(ELEMENTS.table, name);
      writer.text(ELEMENTS.set, shape.name);
      writer.nest(ELEMENTS.list, () => {
        const start = writer.length;
        for (; next.done !== true && writer.length - start < FULL_LIST; next = rest.next()) {
          const { value } = next;
          writer.nest(LIST_ITEM, () => write(value));
        }
      });
    });
  }
}

/** Of an interval, its two ends. */
function writeKey(writer: NetlinkWriter, { keyTypes }: SetShape, { key }: SetElement): void {
  const [first = '', last] = mayBeInterval(keyTypes) ? key.split('-') : [key];
  writeData(writer, ELEMENT.key, keyTypes, first);
  if (last !== undefined) writeData(writer, ELEMENT.keyEnd, keyTypes, last);
}

function writeElement(writer: NetlinkWriter, shape: SetShape, element: SetElement, now: number): void {
  const { value, comment, expires, counted } = element;
  writeKey(writer, shape, element);
  if (value !== '') writeData(writer, ELEMENT.data, shape.dataTypes, value);
  // One that is due by now is given the shortest time there is; 0 would be for ever.
  if (expires !== undefined) writer.bigNumber(ELEMENT.timeout, BigInt(Math.max(1, Math.round(expires - now))));
  if (comment !== '') writeComment(writer, comment);
  if (counted !== undefined) writeCounter(writer, counted);
}

function writeCounter(writer: NetlinkWriter, { packets, bytes }: Required<SetElement>['counted']): void {
  writer.nest(ELEMENT.expression, () => {
    writer.text(EXPRESSION.name, 'counter');
    writer.nest(EXPRESSION.data, () => {
      writer.bigNumber(COUNTER.bytes, BigInt(bytes));
      writer.bigNumber(COUNTER.packets, BigInt(packets));
    });
  });
}

function writeData(writer: NetlinkWriter, type: number, types: readonly number[], text: string): void {
  writer.nest(type, () => writer.space(DATA_VALUE, sizeOf(types), (into, at) => writeValue(text, types, into, at)));
}

function writeComment(writer: NetlinkWriter, comment: string): void {
  const length = Buffer.byteLength(comment) + 1;
  writer.space(ELEMENT.userdata, 2 + length, (into, at) => {
    into[at] = USERDATA_COMMENT;
    into[at + 1] = length;
    into.write(comment, at + 2);
  });
}
