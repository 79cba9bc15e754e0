import { type BigIntStats, statSync } from 'node:fs';
import { hatobaError } from '../../model/errors.ts';

/** Compares the files that a path leads to with those that were opened by it. */
export interface StoredFile {
  /** Error: `store_unavailable`, where what is written now would not be found by the next start. */
  verify(): void;
}

interface Known {
  readonly path: string;
  /** By how much SQLite itself may make it shorter, in bytes: never below this size. */
  readonly keptSize: bigint;
  seen: BigIntStats | undefined;
}

/**
 * Remembers the database and its write-ahead log, right after they were opened. SQLite writes on to a file that was deleted,
 * renamed or replaced, and reports nothing. `walSizeLimit`: bytes, `PRAGMA journal_size_limit`; a commit may cut a larger
 * log to that (https://www.sqlite.org/pragma.html#pragma_journal_size_limit). The database itself only grows, since
 * nothing vacuums it while it is open. There is no `-shm` file, see `openDatabase`.
 */
export function rememberStoredFile(file: string, walSizeLimit: number): StoredFile {
  const known: readonly Known[] = [
    { path: file, keptSize: BigInt(Number.MAX_SAFE_INTEGER), seen: lookAt(file) },
    { path: `${file}-wal`, keptSize: BigInt(walSizeLimit), seen: lookAt(`${file}-wal`) },
  ];
  return {
    verify() {
      for (const one of known) {
        const now = lookAt(one.path);
        const reason = misfortune(one, now);
        if (reason !== null) throw hatobaError('store_unavailable', { file: one.path, reason });
        one.seen = now;
      }
    },
  };
}

/** A log that is not there yet is none that was deleted. */
function misfortune({ seen, keptSize }: Known, now: BigIntStats | undefined): string | null {
  if (seen === undefined) return null;
  if (now === undefined) return 'was deleted or renamed';
  if (now.dev !== seen.dev || now.ino !== seen.ino) return 'was replaced by another file';
  const least = seen.size < keptSize ? seen.size : keptSize;
  return now.size < least ? 'was cut short' : null;
}

function lookAt(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}
