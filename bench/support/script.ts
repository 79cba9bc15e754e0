import { elementsOf } from '../../src/dataplane/linux/nftables/elements.ts';
import { layoutOf } from '../../src/dataplane/linux/nftables/layout.ts';
import { printTable } from '../../src/dataplane/linux/nftables/script.ts';
import type { Program } from '../../src/program/rule.ts';

/** As the daemon is by default. */
const CONFIGURATION = { accounting: false };

/** Our table with a program's elements, as somebody would write it for `nft -f`. */
export function scriptOf(program: Program): string {
  const table = printTable(layoutOf(CONFIGURATION));
  const elements = [...program.values()].flatMap((rule) => elementsOf(rule, CONFIGURATION));
  const bySet = Map.groupBy(elements, ({ set }) => set);
  const blocks = [...bySet].map(([set, elements]) => {
    const lines = elements.map(
      ({ key, value, comment }) => `${key} comment "${comment}"${value === '' ? '' : ` : ${value}`}`,
    );
    return `add element inet ${table.name} ${set} {\n${lines.join(',\n')}\n}\n`;
  });
  return `${table.script}${blocks.join('')}`;
}
