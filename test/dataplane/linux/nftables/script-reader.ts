import type { Element, TableState } from '../../../../src/kernel/nft-table.ts';

/** What `readTable` gives of a table that was made by the script that creates it. */
export const FINGERPRINT = 'as made';

/**
 * What one of our scripts does to a table, without a kernel: reads as much of nft's language as is written.
 * Like the kernel it refuses to add what is there with another value, and to delete what is not.
 */
export function tableAfter(before: TableState | null, script: string): TableState | null {
  let elements = before === null ? null : new Map([...before.elements].map(([map, list]) => [map, byKey(list)]));
  let fingerprint = before?.fingerprint ?? '';
  const set = (map = '') => {
    const found = elements?.get(map);
    if (found === undefined) throw new Error(`there is no map ${map}`);
    return found;
  };
  for (const [command = '', , table, map, body = ''] of script.matchAll(COMMAND)) {
    if (table !== 'inet hatoba') throw new Error(`not ours: ${command}`);
    if (command.startsWith('delete table')) [elements, fingerprint] = [null, ''];
    else if (command.startsWith('add table')) elements ??= new Map();
    else if (command.startsWith('add map')) elements?.set(map ?? '', new Map());
    else if (command.startsWith('add rule')) fingerprint = FINGERPRINT;
    else if (command.startsWith('add element')) for (const line of lines(body)) add(set(map), elementOf(line));
    else if (command.startsWith('delete element')) for (const key of lines(body)) remove(set(map), key);
    else if (!command.startsWith('add chain')) throw new Error(`not understood: ${command}`);
  }
  if (elements === null) return null;
  return { fingerprint, elements: new Map([...elements].map(([name, found]) => [name, [...found.values()]])) };
}

const COMMAND =
  /^(add|delete) (?:table|map|chain|rule|element) (inet \w+)(?: (\w+))?(?: ([^{\n]*\{[^}]*\}|[^\n]*))?$/gm;
const ELEMENT = /^(\S+ \. \d+ \. \d+) comment "([^"]*)" : (\S+ \. \d+)$/;

function byKey(elements: readonly Element[]): Map<string, Element> {
  return new Map(elements.map((element) => [element.key, element]));
}

function lines(body: string): readonly string[] {
  return body.replace(/^\{\n/, '').replace(/\n\}$/, '').split(',\n');
}

function elementOf(line: string): Element {
  const [, key, comment, value] = ELEMENT.exec(line) ?? [];
  if (key === undefined || comment === undefined || value === undefined) throw new Error(`not an element: ${line}`);
  return { key, value, comment };
}

function add(map: Map<string, Element>, element: Element): void {
  if (map.has(element.key)) throw new Error(`${element.key} is there already`);
  map.set(element.key, element);
}

function remove(map: Map<string, Element>, key: string): void {
  if (!map.delete(key)) throw new Error(`${key} is not there`);
}
