import type { Element, TableState } from '../../../kernel/nft-table.ts';
import type { MapElement } from './elements.ts';
import type { Layout } from './layout.ts';
import { changeElements, createTable } from './script.ts';

/** How to make the table in the kernel what it should be. */
export interface TableCorrection {
  /** `null`: it is as it should be. */
  readonly script: string | null;
  /** How many things were wrong. */
  readonly count: number;
}

/**
 * The smallest step from what is in the kernel to the wanted elements. A table whose static part is not the one of
 * `layout` (`fingerprint`: of a table that is) is replaced as a whole, which the kernel does between two packets.
 */
export function correct(
  found: TableState | null,
  wanted: readonly MapElement[],
  layout: Layout,
  fingerprint: string,
): TableCorrection {
  if (found === null) {
    return wanted.length === 0 ? NOTHING : { script: createTable(layout, wanted, false), count: 1 + wanted.length };
  }
  if (found.fingerprint !== fingerprint) return { script: createTable(layout, wanted, true), count: 1 };
  const missing = new Map(wanted.map((element) => [`${element.map.name} ${element.key}`, element]));
  const remove: MapElement[] = [];
  for (const map of layout.maps) {
    for (const element of found.elements.get(map.name) ?? []) {
      const name = `${map.name} ${element.key}`;
      if (sameElement(missing.get(name), element)) missing.delete(name);
      else remove.push({ ...element, map });
    }
  }
  const add = [...missing.values()];
  if (remove.length + add.length === 0) return NOTHING;
  return { script: changeElements(layout, remove, add), count: Math.max(remove.length, add.length) };
}

const NOTHING: TableCorrection = { script: null, count: 0 };

function sameElement(wanted: MapElement | undefined, found: Element): boolean {
  return wanted !== undefined && wanted.value === found.value && wanted.comment === found.comment;
}
