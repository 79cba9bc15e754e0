import { elementOf } from '../../src/dataplane/linux/nftables/elements.ts';
import { OUR_TABLE } from '../../src/dataplane/linux/nftables/script.ts';
import type { Program } from '../../src/program/rule.ts';

/** Our table with a program's elements, as somebody would write it for `nft -f`. */
export function scriptOf(program: Program): string {
  const bySet = Map.groupBy([...program.values()].map(elementOf), ({ set }) => set);
  const blocks = [...bySet].map(([set, elements]) => {
    const lines = elements.map(({ key, value, comment }) => `${key} comment "${comment}" : ${value}`);
    return `add element inet ${OUR_TABLE.name} ${set} {\n${lines.join(',\n')}\n}\n`;
  });
  return `${OUR_TABLE.script}${blocks.join('')}`;
}
