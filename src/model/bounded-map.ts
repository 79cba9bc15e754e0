/**
 * Forgets the oldest entries of a map that has become larger than `most`: a tenth of so many at once. Before the first
 * entry of a Map, all are looked through that were deleted there, so to forget one at each entry would take thousands of
 * times as long.
 */
export function forgetOldest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return;
  const least = map.size - Math.ceil(most / 10);
  for (const key of map.keys()) {
    if (map.size <= least) return;
    map.delete(key);
  }
}
