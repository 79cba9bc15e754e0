import { printTime } from '../../model/time.ts';
import type { KeyChange, Mirror } from '../feed.ts';
import { REQUESTS } from '../keys.ts';
import { createRequestQueue, type KnownRequest, type QueueLimits, type RequestQueue } from './request-queue.ts';
import { readRequest } from './request-record.ts';

/** How long an answer is remembered, and how many are, at most; the newest is kept whatever it takes. */
export interface RequestLimits extends QueueLimits {
  readonly milliseconds: number;
}

export const USUAL_LIMITS: RequestLimits = { milliseconds: 24 * 3600 * 1000, count: 10_000, size: 32 * 1024 * 1024 };

/** Of all that is remembered, what one caller may have: nobody shall push out what is remembered of others. */
const SHARE = 0.1;

/** Not more at once, so that forgetting many holds nobody up. */
const MOST_FORGOTTEN = 100;

/** The requests that are remembered, as of one revision. */
export interface RequestMirror extends Mirror {
  /** Null: it is none, or its time is over. */
  find(key: string): KnownRequest | null;
  /** Of the record under the key, also one whose time is over; 0: there is none. */
  revisionOf(key: string): number;
  /** Which to forget when another record, of that size, comes under `key`: the oldest, those of the same caller first. */
  outdated(key: string, size: number): readonly string[];
}

export function createRequestMirror(limits: RequestLimits = USUAL_LIMITS): RequestMirror {
  const requests = new Map<string, KnownRequest>();
  const all = createRequestQueue();
  const callers = new Map<string, RequestQueue>();
  const share: QueueLimits = { count: limits.count * SHARE, size: limits.size * SHARE };

  function remove(key: string): void {
    const own = callers.get(callerIn(key));
    requests.delete(key);
    all.remove(key);
    own?.remove(key);
    if (own?.isEmpty() === true) callers.delete(callerIn(key));
  }

  function put({ key, value, revision }: KeyChange): void {
    remove(key);
    if (value === null) return;
    const { fingerprint, at } = readRequest(key, value);
    const request: KnownRequest = Object.freeze({ revision, fingerprint, at, size: value.length });
    const own = callers.get(callerIn(key)) ?? createRequestQueue();
    callers.set(callerIn(key), own);
    requests.set(key, request);
    for (const queue of [all, own]) queue.put(key, request);
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

    outdated(key, size) {
      const oldest = deadline();
      const own = callers.get(callerIn(key))?.surplus(size, share, oldest, new Set([key])) ?? [];
      return [...own, ...all.surplus(size, limits, oldest, new Set([key, ...own]))].slice(0, MOST_FORGOTTEN);
    },
  };
}

/** What all keys of one caller begin with. */
function callerIn(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
