import type { SetElement, TableChange } from '../../../kernel/nft/nft-batch.ts';
import type { Element, TableState } from '../../../kernel/nft/nft-table.ts';

/** How to make the table in the kernel what it should be. */
export interface TableCorrection {
  /** `null`: it is as it should be. */
  readonly change: TableChange | null;
  /** How many elements, or the table, were wrong. */
  readonly count: number;
}

/** The elements that the table is to have. */
export interface Wanted {
  /** Those of the router's interfaces: alone, they need no table. */
  readonly surroundings: readonly SetElement[];
  /** Those of rules. */
  readonly rules: readonly SetElement[];
}

/**
 * The smallest step from what is in the kernel to the wanted elements. A table whose static part is another than that of
 * `fingerprint` is replaced as a whole, which the kernel does between two packets. `isKept`: the table has to be there
 * without elements, too.
 */
export function correct(
  found: TableState | null,
  { surroundings, rules }: Wanted,
  fingerprint: string,
  isKept = false,
): TableCorrection {
  const wanted = [...surroundings, ...rules];
  if (found === null) {
    if (rules.length === 0 && !isKept) return NOTHING;
    return { change: { table: 'create', remove: [], add: wanted }, count: 1 + wanted.length };
  }
  if (found.fingerprint !== fingerprint) return { change: { table: 'replace', remove: [], add: wanted }, count: 1 };
  const missing = new Map(wanted.map((element) => [`${element.set} ${element.key}`, element]));
  const remove: SetElement[] = [];
  for (const [set, elements] of found.elements) {
    for (const element of elements) {
      const name = `${set} ${element.key}`;
      if (sameElement(missing.get(name), element)) missing.delete(name);
      else remove.push({ ...element, set });
    }
  }
  const add = [...missing.values()];
  if (remove.length + add.length === 0) return NOTHING;
  return { change: { table: 'keep', remove, add }, count: Math.max(remove.length, add.length) };
}

const NOTHING: TableCorrection = { change: null, count: 0 };

function sameElement(wanted: SetElement | undefined, found: Element): boolean {
  return (
    wanted !== undefined &&
    wanted.value === found.value &&
    wanted.comment === found.comment &&
    isSameTime(wanted.expires, found.expires)
  );
}

/** By how much what the kernel tells of an end may differ, in ms: reading takes time. The clock may have been set by more. */
const TOLERANCE = 2_000;

function isSameTime(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Math.abs(a - b) < TOLERANCE;
}
