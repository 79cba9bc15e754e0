import { forgetOldest } from '../model/bounded-map.ts';

/** Remembers a bounded number of values, each until a time of its own; where there are more, the oldest go. */
export interface ExpiringMap<Value> {
  get(key: string): Value | undefined;
  /** `until`: by `performance.now()`. */
  set(key: string, value: Value, until: number): void;
}

export function createExpiringMap<Value>(most: number): ExpiringMap<Value> {
  const entries = new Map<string, { readonly value: Value; readonly until: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined || entry.until > performance.now()) return entry?.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, until) {
      // Behind all others, also where it was there before.
      entries.delete(key);
      entries.set(key, { value, until });
      forgetOldest(entries, most);
    },
  };
}
