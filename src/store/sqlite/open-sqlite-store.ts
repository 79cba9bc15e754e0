import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { hatobaError } from '../../model/errors.ts';
import { type Bell, createBell } from '../bell.ts';
import type { Change, Commit, CommitResult, Store } from '../store.ts';
import { type ChangeLog, openChangeLog } from './change-log.ts';
import { openDatabase, WAL_SIZE_LIMIT } from './database.ts';
import { type Entries, openEntries } from './entries.ts';
import { setDurable, transaction } from './rows.ts';
import { inStore } from './sqlite-errors.ts';
import { rememberStoredFile, type StoredFile } from './stored-file.ts';

export interface SqliteStoreOptions {
  /** How many of the newest revisions can be watched from; at least. */
  readonly keptRevisions?: number;
}

interface Parts {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly entries: Entries;
  readonly log: ChangeLog;
  /** Rings after every commit that took a revision, and at the end. */
  readonly bell: Bell;
  readonly stored: StoredFile;
}

/**
 * The store in one SQLite file, which this process then has for itself. Commits that are to be
 * durable are on the disk when they resolve (WAL, synchronous=FULL). A watch costs nothing while nothing is committed.
 * Errors: `store_unreadable`, `store_newer`, `store_in_use`, `store_full`, `store_read_only`, `store_failed`;
 * then the file is as it was. Commits besides: `store_unavailable`.
 */
export function openSqliteStore(file: string, { keptRevisions = 10_000 }: SqliteStoreOptions = {}): Store {
  const parts = openParts(resolve(file));
  const { database, entries, log, bell } = parts;

  /** Every call runs to its end without a pause, so nothing comes between a commit's checks and its writes. */
  async function using<Result>(work: () => Result): Promise<Result> {
    if (!database.isOpen) throw hatobaError('store_failed', { reason: 'it is closed' });
    return inStore(parts.file, work);
  }

  return {
    read: (prefix) => using(() => ({ revision: log.newest(), entries: entries.read(prefix) })),

    commit: (commit) =>
      using(() => {
        refuseMalformed(commit);
        const before = log.newest();
        const durable = commit.durable ?? true;
        // Twice: nothing is written where it would be lost, and nothing is acknowledged that was.
        if (durable) parts.stored.verify();
        setDurable(database, durable);
        const result = transaction(database, () => apply(parts, commit, keptRevisions));
        if (result.committed && result.revision > before) bell.ring();
        if (durable) parts.stored.verify();
        return result;
      }),

    watch: (prefix, after, signal) => watch(parts, prefix, after, signal),

    verify: () => using(() => parts.stored.verify()),

    async close() {
      if (!database.isOpen) return;
      inStore(parts.file, () => database.close());
      bell.ring();
    },
  };
}

function openParts(file: string): Parts {
  const database = openDatabase(file);
  try {
    const [entries, log] = inStore(file, () => [openEntries(database), openChangeLog(database)] as const);
    return { file, database, entries, log, bell: createBell(), stored: rememberStoredFile(file, WAL_SIZE_LIMIT) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function apply({ entries, log }: Parts, commit: Commit, keptRevisions: number): CommitResult {
  const failed = commit.checks?.find(({ key, revision }) => entries.revisionOf(key) !== revision);
  if (failed !== undefined) return { committed: false, failed };
  const revision = log.newest() + 1;
  const removed = (commit.deletes ?? []).filter((key) => entries.remove(key));
  for (const key of removed) log.append(revision, key, 'delete');
  for (const { key, value } of commit.puts ?? []) {
    entries.put({ key, value, revision });
    log.append(revision, key, 'put');
  }
  log.compact(keptRevisions);
  return { committed: true, revision: log.newest() };
}

/** The log, read on piece by piece: a watcher that is slow misses nothing it needs as long as the log reaches back to where it is. */
async function* watch(parts: Parts, prefix: string, after: number, signal: AbortSignal): AsyncGenerator<Change, void> {
  const { file, database, log, bell } = parts;
  let seen = after;
  while (database.isOpen && !signal.aborted) {
    const { changes, upTo } = inStore(file, () => log.since(prefix, seen));
    for (const change of changes) {
      if (signal.aborted) return;
      yield change;
    }
    seen = upTo;
    if (changes.length === 0) await bell.wait(signal);
  }
}

/** As etcd, which refuses a key that one transaction changes twice. */
function refuseMalformed({ puts = [], deletes = [] }: Commit): void {
  const keys = [...puts.map(({ key }) => key), ...deletes];
  if (new Set(keys).size < keys.length) {
    throw hatobaError('store_failed', { reason: 'one commit would change the same key twice' });
  }
  // A lone surrogate has no UTF-8 form: another text would be stored.
  const stray = keys.find((key) => !key.isWellFormed()) ?? puts.find(({ value }) => !value.isWellFormed())?.key;
  if (stray !== undefined) throw hatobaError('store_failed', { reason: `${stray} is not well-formed Unicode` });
}
