import { hatobaError } from '../../model/errors.ts';
import { printTime } from '../../model/time.ts';
import type { Commit, Store } from '../../store/store.ts';
import { requestKey } from '../keys.ts';
import { type Fields, readRecord } from '../record.ts';
import type { KeyedRequest } from '../registry.ts';
import type { RequestMirror } from './request-mirror.ts';
import type { KnownRequest } from './request-queue.ts';
import { readRequest, writeRequest } from './request-record.ts';

/** What requests with a key were answered, so that one that comes again does nothing again. */
export interface Requests {
  /** Error: `request_repeated` for one that was answered. To be asked within the decision that is committed. */
  refuseRepeated(request: KeyedRequest | undefined): void;
  /** The commit, which then also remembers the answer, a JSON text, and fails where another process has been first. */
  remember(commit: Commit, request: KeyedRequest | undefined, answer: () => string): Commit;
  /** What was answered, read by `read`; null: nothing, or that is forgotten. Errors: `idempotency_key_reused`, `store_…`. */
  recall<Answer>(request: KeyedRequest, read: (answer: Fields, revision: number) => Answer): Promise<Answer | null>;
}

export function createRequests(store: Store, mirror: RequestMirror): Requests {
  function known({ caller, key, fingerprint }: KeyedRequest): KnownRequest | null {
    const found = mirror.find(requestKey(caller, key));
    if (found !== null && found.fingerprint !== fingerprint)
      throw hatobaError('idempotency_key_reused', { value: key });
    return found;
  }

  return {
    refuseRepeated(request) {
      if (request !== undefined && known(request) !== null)
        throw hatobaError('request_repeated', { value: request.key });
    },

    remember(commit, request, answer) {
      if (request === undefined) return commit;
      const { caller, fingerprint } = request;
      const key = requestKey(caller, request.key);
      const value = writeRequest({ fingerprint, at: printTime(Date.now()), answer: answer() });
      const { checks = [], puts = [], deletes = [] } = commit;
      return {
        ...commit,
        checks: [...checks, { key, revision: mirror.revisionOf(key) }],
        puts: [...puts, { key, value }],
        deletes: [...deletes, ...mirror.outdated(key, value.length)],
      };
    },

    async recall(request, read) {
      if (known(request) === null) return null;
      const key = requestKey(request.caller, request.key);
      const { entries } = await store.read(key);
      const [entry] = entries;
      // Another process may have forgotten it meanwhile.
      if (entry === undefined) return null;
      const { answer } = readRequest(key, entry.value);
      return readRecord(key, JSON.stringify(answer), (fields) => read(fields, entry.revision));
    },
  };
}
