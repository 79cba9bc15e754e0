import type { MapElement } from './elements.ts';
import type { DnatRule, Layout, NftChain, NftMap } from './layout.ts';

/** Scripts for `nft -f`; each is one transaction. Printed from typed values alone: no text of a user gets here. */

/** Makes the table with these elements. `replace`: instead of whatever has its name, without a moment between. */
export function createTable(layout: Layout, elements: readonly MapElement[], replace: boolean): string {
  const table = `inet ${layout.table}`;
  return script([
    `add table ${table}`,
    // "destroy" would be the word, but nft 1.0.6 does not know it.
    ...(replace ? [`delete table ${table}`, `add table ${table}`] : []),
    ...layout.maps.map((map) => `add map ${table} ${map.name} ${mapBlock(map)}`),
    ...layout.chains.map((chain) => `add chain ${table} ${chain.name} ${chainBlock(chain)}`),
    ...layout.chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${table} ${name} ${ruleText(rule)}`)),
    ...addElements(layout, elements),
  ]);
}

export function deleteTable(layout: Layout): string {
  return script([`delete table inet ${layout.table}`]);
}

/** Takes the elements away and puts others there. The same key may be in both: its target changes. */
export function changeElements(layout: Layout, remove: readonly MapElement[], add: readonly MapElement[]): string {
  const keys = (map: NftMap) => remove.filter((element) => element.map === map).map(({ key }) => key);
  return script([
    ...layout.maps.flatMap((map) => block('delete', layout, map, keys(map))),
    ...addElements(layout, add),
  ]);
}

function addElements(layout: Layout, elements: readonly MapElement[]): readonly string[] {
  const texts = (map: NftMap) => elements.filter((element) => element.map === map).map(elementText);
  return layout.maps.flatMap((map) => block('add', layout, map, texts(map)));
}

/** One element a line, since nft quotes the line when it refuses one. */
function block(verb: 'add' | 'delete', layout: Layout, map: NftMap, elements: readonly string[]): readonly string[] {
  if (elements.length === 0) return [];
  return [`${verb} element inet ${layout.table} ${map.name} {\n${elements.join(',\n')}\n}`];
}

function elementText({ key, value, comment }: MapElement): string {
  return `${key} comment "${comment}" : ${value}`;
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

function script(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
