import type { TableSource } from '../../../kernel/nft/nft-compile.ts';
import type { Layout, NftChain, NftSet } from './layout.ts';

/** The script for `nft -f` that makes the table, without elements. Printed from typed values: no text of a user gets here. */
export function printTable({ table, sets, chains }: Layout): TableSource {
  const ours = `inet ${table}`;
  const lines = [
    `add table ${ours}`,
    ...sets.map((set) => `add ${set.value === undefined ? 'set' : 'map'} ${ours} ${set.name} ${setBlock(set)}`),
    ...chains.map((chain) => `add chain ${ours} ${chain.name}${chainBlock(chain)}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${ours} ${name} ${rule}`)),
  ];
  const shifting = sets.filter(({ shifts }) => shifts).map(({ name }) => name);
  return { name: table, script: `${lines.join('\n')}\n`, shifting };
}

function setBlock({ key, value, interval, timeout, counter }: NftSet): string {
  const types = value === undefined ? key.join(' . ') : `${key.join(' . ')} : ${value.join(' . ')}`;
  const flags = [...(interval ? ['interval'] : []), ...(timeout ? ['timeout'] : [])];
  return `{ type ${types} ; ${flags.length > 0 ? `flags ${flags.join(',')} ; ` : ''}${counter ? 'counter ; ' : ''}}`;
}

function chainBlock({ hook }: NftChain): string {
  if (hook === null) return '';
  return ` { type ${hook.type} hook ${hook.hook} priority ${hook.priority} ; policy accept ; }`;
}
