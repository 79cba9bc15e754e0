import { attributes, listAttributes, textOf } from '../netlink/netlink.ts';
import { createNetlinkWriter, type NetlinkWriter } from '../netlink/netlink-writer.ts';
import { BITWISE, DATA_VALUE, EXPRESSION, LIST_ITEM, LOOKUP, NAT, RULE, SET } from '../netlink/nf-tables.ts';
import type { TableObjects } from './nft-table.ts';

type Attributes = ReadonlyMap<number, Buffer>;

/** linux/netfilter/nf_nat.h: NF_NAT_RANGE_PROTO_SPECIFIED and, from Linux 4.18 on, NF_NAT_RANGE_PROTO_OFFSET. */
const SHIFTING = 0x2 | 0x20;

/** linux/netfilter/nf_tables.h: NFT_BITWISE_RSHIFT. */
const RIGHT_SHIFT = 2;

/** Registers of 32 bits have numbers from here on; 1 to 4 are four of them each (linux/netfilter/nf_tables.h). */
const FIRST_REGISTER = 8;

/**
 * The table, with rules that shift ports in place of those that nft has made of `dnat … map @shift4` for these maps, of an
 * address and a port: the padding of the port is the last of a range that begins with it (`readValue`). The kernel takes
 * the port `first + (port - base) % count` (nf_nat_l4proto_unique_tuple in net/netfilter/nf_nat_core.c), with a base of 0
 * (net/netfilter/nft_nat.c): that is a shift where ports come in 2ⁿ from a multiple of 2ⁿ on. nft (1.0.6) has no word for
 * it, prints such a rule as it was before, and compiles maps with intervals for values wrongly by IPv6.
 */
export function withShifts(objects: TableObjects, maps: readonly string[]): TableObjects {
  const shifting = objects.sets.filter((set) => maps.includes(textOf(set.get(SET.name))));
  const sizes = new Map(shifting.map((set) => [textOf(set.get(SET.name)), numberOf(set.get(SET.dataLength))]));
  return { ...objects, rules: objects.rules.map((rule) => withShift(rule, sizes)) };
}

/** `sizes`: how long values are, by the names of the maps. */
function withShift(rule: Attributes, sizes: ReadonlyMap<string, number>): Attributes {
  const expressions = Array.from(listAttributes(rule.get(RULE.expressions) ?? Buffer.alloc(0)), ([, data]) => data);
  const [size] = expressions.flatMap((expression) => sizes.get(mapOf(expression)) ?? []);
  if (size === undefined) return rule;
  const writer = createNetlinkWriter();
  for (const expression of expressions) {
    if (nameOf(expression) === 'nat') writeShift(writer, expression, size);
    else writer.attribute(LIST_ITEM, expression);
  }
  return new Map(rule).set(RULE.expressions, writer.finish());
}

/** The value is moved by the 16 bits of a port, in a machine that has the low ones first, into the registers behind it. */
function writeShift(writer: NetlinkWriter, expression: Buffer, size: number): void {
  const nat = attributes(attributes(expression).get(EXPRESSION.data) ?? Buffer.alloc(0));
  const value = indexOf(nat.get(NAT.firstAddress));
  const behind = (index: number) => FIRST_REGISTER + index + size / 4;
  writeExpression(writer, 'bitwise', () => {
    writer.number(BITWISE.source, FIRST_REGISTER + value);
    writer.number(BITWISE.destination, behind(value));
    writer.number(BITWISE.length, size);
    writer.number(BITWISE.operation, RIGHT_SHIFT);
    writer.nest(BITWISE.data, () => writer.space(DATA_VALUE, 4, (into, at) => into.writeUInt32LE(16, at)));
  });
  writeExpression(writer, 'nat', () => {
    const changed = new Map(nat)
      .set(NAT.lastPort, numberData(behind(indexOf(nat.get(NAT.firstPort)))))
      .set(NAT.flags, numberData(numberOf(nat.get(NAT.flags)) | SHIFTING));
    for (const [type, data] of changed) writer.attribute(type, data);
  });
}

function writeExpression(writer: NetlinkWriter, name: string, body: () => void): void {
  writer.nest(LIST_ITEM, () => {
    writer.text(EXPRESSION.name, name);
    writer.nest(EXPRESSION.data, body);
  });
}

function indexOf(register: Buffer | undefined): number {
  const number = numberOf(register);
  return number < FIRST_REGISTER ? 4 * (number - 1) : number - FIRST_REGISTER;
}

/** By which it looks something up; empty: by none. */
function mapOf(expression: Buffer): string {
  if (nameOf(expression) !== 'lookup') return '';
  return textOf(attributes(attributes(expression).get(EXPRESSION.data) ?? Buffer.alloc(0)).get(LOOKUP.set));
}

function nameOf(expression: Buffer): string {
  return textOf(attributes(expression).get(EXPRESSION.name));
}

function numberOf(value: Buffer | undefined): number {
  return value?.readUInt32BE(0) ?? 0;
}

function numberData(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return data;
}
