import type { TableSource } from '../../../kernel/nft-compile.ts';
import { type DnatRule, LAYOUT, type Layout, type NftChain, type NftMap } from './layout.ts';

/** What the kernel room makes in routers. */
export const OUR_TABLE: TableSource = { name: LAYOUT.table, script: printTable(LAYOUT) };

/** The script for `nft -f` that makes the table, without elements. Printed from typed values: no text of a user gets here. */
export function printTable({ table, maps, chains }: Layout): string {
  const ours = `inet ${table}`;
  const lines = [
    `add table ${ours}`,
    ...maps.map((map) => `add map ${ours} ${map.name} ${mapBlock(map)}`),
    ...chains.map((chain) => `add chain ${ours} ${chain.name} ${chainBlock(chain)}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${ours} ${name} ${ruleText(rule)}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function mapBlock({ key, value }: NftMap): string {
  return `{ type ${key.join(' . ')} : ${value.join(' . ')} ; }`;
}

function chainBlock({ type, hook, priority }: NftChain): string {
  return `{ type ${type} hook ${hook} priority ${priority} ; policy accept ; }`;
}

function ruleText({ family, map }: DnatRule): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  return `dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @${map.name}`;
}
