import { layoutOf } from '../../../../src/dataplane/linux/nftables/layout.ts';
import type { TableChange } from '../../../../src/kernel/nft/nft-batch.ts';
import type { Element, TableState } from '../../../../src/kernel/nft/nft-table.ts';

/** That of a table as it should be. */
export const FINGERPRINT = 'as made';

/**
 * What a change does to a table, without a kernel. Like the kernel it refuses to add what is there, to delete what is not,
 * and to make a table twice.
 */
export function tableAfter(before: TableState | null, { table, remove, add }: TableChange): TableState | null {
  if ((before === null) !== (table === 'create')) throw new Error(`${table}, and before was ${JSON.stringify(before)}`);
  if (table === 'delete') return null;
  const fresh = {
    fingerprint: FINGERPRINT,
    elements: new Map(layoutOf({ accounting: true }).sets.map(({ name }) => [name, []])),
  };
  const { fingerprint, elements } = table === 'keep' && before !== null ? before : fresh;
  const sets = new Map([...elements].map(([name, list]) => [name, byKey(list)]));
  for (const { set, key } of remove) {
    if (sets.get(set)?.delete(key) !== true) throw new Error(`${key} is not in ${set}`);
  }
  for (const { set, ...element } of add) {
    const found = sets.get(set);
    if (found === undefined || found.has(element.key)) throw new Error(`${element.key} cannot be added to ${set}`);
    found.set(element.key, element);
  }
  return { fingerprint, elements: new Map([...sets].map(([name, found]) => [name, [...found.values()]])) };
}

function byKey(elements: readonly Element[]): Map<string, Element> {
  return new Map(elements.map((element) => [element.key, element]));
}
