import { attributes, listAttributes, readUninterrupted } from '../netlink/netlink.ts';
import { COUNTER, ELEMENT, EXPRESSION } from '../netlink/nf-tables.ts';
import { commentOf, keyOf, listElements, readShapes } from './nft-table.ts';

/** How many packets matched an element. */
export interface ElementCounter {
  readonly set: string;
  /** As in `Element`. */
  readonly key: string;
  readonly comment: string;
  readonly packets: number;
  readonly bytes: number;
}

/** The counters of the elements that have some, of those with this comment only, or (`null`) of all. */
export function readCounters(fd: number, table: string, comment: string | null): readonly ElementCounter[] {
  return readUninterrupted(() => readCountersOnce(fd, table, comment));
}

function readCountersOnce(fd: number, table: string, comment: string | null): readonly ElementCounter[] {
  const counters: ElementCounter[] = [];
  for (const shape of readShapes(fd, table)) {
    for (const list of listElements(fd, table, shape.name)) {
      for (const [, element] of listAttributes(list)) {
        const found = attributes(element);
        const counter = counterOf(found.get(ELEMENT.expression));
        if (counter === undefined) continue;
        const own = commentOf(found.get(ELEMENT.userdata));
        if (comment !== null && own !== comment) continue;
        counters.push({ set: shape.name, key: keyOf(found, shape), comment: own, ...counter });
      }
    }
  }
  return counters;
}

function counterOf(expression: Buffer | undefined): { packets: number; bytes: number } | undefined {
  const data = expression && attributes(expression).get(EXPRESSION.data);
  const [packets, bytes] = data ? [attributes(data).get(COUNTER.packets), attributes(data).get(COUNTER.bytes)] : [];
  if (packets === undefined || bytes === undefined) return undefined;
  return { packets: Number(packets.readBigUInt64BE(0)), bytes: Number(bytes.readBigUInt64BE(0)) };
}
