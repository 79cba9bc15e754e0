import { describe, expect, test } from 'vitest';
import { attributes, listAttributes, textOf } from '../../src/kernel/netlink/netlink.ts';
import { createNetlinkWriter, type NetlinkWriter } from '../../src/kernel/netlink/netlink-writer.ts';
import { BITWISE, EXPRESSION, LIST_ITEM, LOOKUP, NAT, RULE, SET } from '../../src/kernel/netlink/nf-tables.ts';
import { withShifts } from '../../src/kernel/nft/nft-shift.ts';

type Numbers = Readonly<Record<number, number>>;

/** What nft makes of `dnat … map @name`: values of this size in register 1, the port in this one. */
function ruleOf(map: string, portRegister: number): ReadonlyMap<number, Buffer> {
  const writer = createNetlinkWriter();
  expression(writer, 'lookup', () => writer.text(LOOKUP.set, map));
  expression(writer, 'nat', () => {
    const nat = {
      1: 1,
      2: 2,
      [NAT.firstAddress]: 1,
      4: 1,
      [NAT.firstPort]: portRegister,
      [NAT.lastPort]: portRegister,
    };
    for (const [type, value] of Object.entries({ ...nat, [NAT.flags]: 0x2 })) writer.number(Number(type), value);
  });
  return new Map([[RULE.expressions, writer.finish()]]);
}

function expression(writer: NetlinkWriter, name: string, body: () => void): void {
  writer.nest(LIST_ITEM, () => {
    writer.text(EXPRESSION.name, name);
    writer.nest(EXPRESSION.data, body);
  });
}

function mapOf(name: string, size: number): ReadonlyMap<number, Buffer> {
  const writer = createNetlinkWriter();
  writer.text(SET.name, name);
  writer.number(SET.dataLength, size);
  return attributes(writer.finish());
}

function expressionsOf(rule: ReadonlyMap<number, Buffer> | undefined): readonly (readonly [string, Numbers])[] {
  return Array.from(listAttributes(rule?.get(RULE.expressions) ?? Buffer.alloc(0)), ([, item]) => {
    const found = attributes(item);
    const numbers = Array.from(listAttributes(found.get(EXPRESSION.data) ?? Buffer.alloc(0)), ([type, data]) => [
      type,
      data.readUInt32BE(0),
    ]);
    return [textOf(found.get(EXPRESSION.name)), Object.fromEntries(numbers)];
  });
}

describe('rules that shift ports', () => {
  const nothing = { table: new Map(), chains: [], constants: [] };

  test.each([
    ['IPv4: 8 bytes', 8, 9, { from: 8, to: 10, last: 11 }],
    ['IPv6: 20 bytes, and the port where register 2 begins', 20, 2, { from: 8, to: 13, last: 17 }],
  ])('have the last port in the register that the first was moved to, by %s', (_, size, port, { from, to, last }) => {
    const objects = { ...nothing, sets: [mapOf('shift4', size)], rules: [ruleOf('shift4', port)] };
    const [, [bitwise, moved] = [], [nat, translated] = []] = expressionsOf(withShifts(objects, ['shift4']).rules[0]);
    expect([bitwise, nat]).toEqual(['bitwise', 'nat']);
    expect(moved).toMatchObject({
      [BITWISE.source]: from,
      [BITWISE.destination]: to,
      [BITWISE.length]: size,
      [BITWISE.operation]: 2,
    });
    const ports = { [NAT.firstPort]: port, [NAT.lastPort]: last };
    expect(translated).toEqual({ 1: 1, 2: 2, [NAT.firstAddress]: 1, 4: 1, ...ports, [NAT.flags]: 0x22 });
  });

  test('are those by these maps alone, and nothing else becomes another', () => {
    const rules = [ruleOf('shift4', 9), ruleOf('shift6', 9)];
    const sets = [mapOf('shift4', 8), mapOf('shift6', 8)];
    const shifted = withShifts({ ...nothing, sets, rules }, ['shift6']);
    expect(shifted.rules[0]).toBe(rules[0]);
    expect(expressionsOf(shifted.rules[1])).toHaveLength(3);
    expect(shifted.sets).toBe(sets);
    expect(withShifts({ ...nothing, sets, rules }, []).rules).toEqual(rules);
  });
});
