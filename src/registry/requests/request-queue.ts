/** What is known of an answered request without asking the store. */
export interface KnownRequest {
  readonly revision: number;
  readonly fingerprint: string;
  /** As `printTime` gives it. */
  readonly at: string;
  /** Of the record, in characters. */
  readonly size: number;
}

/** How many are remembered at most, and how much room their records may take together. */
export interface QueueLimits {
  readonly count: number;
  readonly size: number;
}

/** Requests, the oldest first. */
export interface RequestQueue {
  /** As the newest. */
  put(key: string, request: KnownRequest): void;
  remove(key: string): void;
  isEmpty(): boolean;
  /**
   * The oldest, which have to go so that one more of that size finds room: those from before `oldest`, and those that are
   * too many. `gone` are as good as removed.
   */
  surplus(size: number, limits: QueueLimits, oldest: string, gone: ReadonlySet<string>): readonly string[];
}

export function createRequestQueue(): RequestQueue {
  const requests = new Map<string, KnownRequest>();
  let total = 0;

  function remove(key: string): void {
    total -= requests.get(key)?.size ?? 0;
    requests.delete(key);
  }

  return {
    put(key, request) {
      remove(key);
      requests.set(key, request);
      total += request.size;
    },

    remove,
    isEmpty: () => requests.size === 0,

    surplus(size, limits, oldest, gone) {
      const known = [...gone].flatMap((key) => requests.get(key) ?? []);
      let count = requests.size - known.length + 1;
      let taken = total - known.reduce((sum, request) => sum + request.size, 0) + size;
      const found: string[] = [];
      for (const [key, request] of requests) {
        if (request.at >= oldest && count <= limits.count && taken <= limits.size) break;
        if (gone.has(key)) continue;
        found.push(key);
        count--;
        taken -= request.size;
      }
      return found;
    },
  };
}
