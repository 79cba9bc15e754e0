import { isUuid } from '../../model/ids.ts';

/** What tables show of a UUID. */
const SHORT = 8;

/** For each id its first eight characters, or as many as none of the others shares. */
export function shortenIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...ids].sort();
  return new Map(
    sorted.map((id, index) => {
      const shared = Math.max(sharedLength(id, sorted[index - 1]), sharedLength(id, sorted[index + 1]));
      return [id, id.slice(0, Math.max(SHORT, shared + 1))];
    }),
  );
}

/** A router's name as it is, its UUID shortened. */
export function shortenRouter(router: string): string {
  return isUuid(router) ? router.slice(0, SHORT) : router;
}

function sharedLength(a: string, b: string | undefined): number {
  if (b === undefined) return 0;
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
