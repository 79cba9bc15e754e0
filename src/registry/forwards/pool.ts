/** How many values of each of two generations are known. */
const ROOM = 10_000;

/**
 * Gives, of all values that have the same key, the first: equal parts of many things are one in memory. What has not been
 * asked for since many others were is forgotten, so that nothing is kept of what has long gone.
 */
export function createPool<Value>(keyOf: (value: Value) => string): (value: Value) => Value {
  let recent = new Map<string, Value>();
  let earlier: ReadonlyMap<string, Value> = new Map();
  return (value) => {
    const key = keyOf(value);
    const known = recent.get(key);
    if (known !== undefined) return known;
    const first = earlier.get(key) ?? value;
    if (recent.size >= ROOM) [earlier, recent] = [recent, new Map()];
    recent.set(key, first);
    return first;
  };
}
