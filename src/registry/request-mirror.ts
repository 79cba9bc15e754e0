import { printTime } from '../model/time.ts';
import type { KeyChange, Mirror } from './feed.ts';
import { REQUESTS } from './keys.ts';
import { readRequest } from './request-record.ts';

/** What is known of an answered request without asking the store. */
export interface KnownRequest {
  readonly revision: number;
  readonly fingerprint: string;
  readonly at: string;
  /** Of the record, in characters. */
  readonly size: number;
}

/** How long an answer is remembered, and how many are, at most. */
export interface RequestLimits {
  readonly milliseconds: number;
  readonly count: number;
  /** Of all records together, in characters; the newest is kept whatever it takes. */
  readonly size: number;
}

export const USUAL_LIMITS: RequestLimits = { milliseconds: 24 * 3600 * 1000, count: 10_000, size: 32 * 1024 * 1024 };

/** Not more at once, so that forgetting many holds nobody up. */
const MOST_FORGOTTEN = 100;

/** The requests that are remembered, as of one revision. */
export interface RequestMirror extends Mirror {
  /** Null: it is none, or its time is over. */
  find(key: string): KnownRequest | null;
  /** Of the record under the key, also one whose time is over; 0: there is none. */
  revisionOf(key: string): number;
  /** Which to forget when another record, of that size, comes under `key`: the oldest. */
  outdated(key: string, size: number): readonly string[];
}

export function createRequestMirror(limits: RequestLimits = USUAL_LIMITS): RequestMirror {
  /** The oldest first. */
  const requests = new Map<string, KnownRequest>();
  let total = 0;

  function forget(key: string): void {
    total -= requests.get(key)?.size ?? 0;
    requests.delete(key);
  }

  function put({ key, value, revision }: KeyChange): void {
    forget(key);
    if (value === null) return;
    const { fingerprint, at } = readRequest(key, value);
    requests.set(key, { revision, fingerprint, at, size: value.length });
    total += value.length;
  }

  const deadline = (): string => printTime(Date.now() - limits.milliseconds);

  return {
    apply(changes) {
      const ours = changes.filter(({ key }) => key.startsWith(REQUESTS));
      // What is read as a whole comes in the order of the keys.
      for (const change of ours.toSorted((a, b) => a.revision - b.revision)) put(change);
      return () => undefined;
    },

    *known() {
      for (const [key, { revision }] of requests) yield [key, revision];
    },

    find(key) {
      const found = requests.get(key);
      return found === undefined || found.at < deadline() ? null : found;
    },

    revisionOf: (key) => requests.get(key)?.revision ?? 0,

    outdated(coming, size) {
      const gone: string[] = [];
      const oldest = deadline();
      let [count, left] = [requests.size + 1, total + size];
      for (const [key, known] of requests) {
        const isOutdated = known.at < oldest || count > limits.count || left > limits.size;
        if (!isOutdated || gone.length === MOST_FORGOTTEN) break;
        count--;
        left -= known.size;
        if (key !== coming) gone.push(key);
      }
      return gone;
    },
  };
}
