import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hatobaError } from '../../model/errors.ts';
import { MIGRATIONS, migrate, schemaVersion } from './schema.ts';
import { inStore } from './sqlite-errors.ts';

/** How long to wait for a process that is just about to end, in milliseconds. */
const BUSY_TIMEOUT = 500;

/** What the write-ahead log may keep of the disk after a large commit, in bytes. */
export const WAL_SIZE_LIMIT = 16 * 2 ** 20;

/**
 * Opens the database of this absolute path, makes it where there is none, and leads its schema to the newest
 * version. It stays locked for all others until closed. Errors: `store_…`; then the file is as it was.
 */
export function openDatabase(file: string, migrations: readonly string[] = MIGRATIONS): DatabaseSync {
  return inStore(file, () => {
    prepareFile(file);
    const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
    try {
      // Set before the first access, this also spares the shared memory file (https://www.sqlite.org/wal.html#noshm).
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      const version = schemaVersion(database, file, migrations.length);
      database.exec('PRAGMA journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
      database.exec(`PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
      migrate(database, version, migrations);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * Finds out what SQLite would only report vaguely, and creates the file, readable to its owner alone (SQLite
 * gives the files beside it the same mode).
 */
function prepareFile(file: string): void {
  const directory = dirname(file);
  if (!existsSync(directory)) {
    throw hatobaError('store_failed', { reason: `the directory ${directory} does not exist` });
  }
  accessSync(directory, constants.W_OK);
  // An existing file is never opened here: closing it would drop the lock of a store that this process has on it
  // (https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600));
  accessSync(file, constants.R_OK | constants.W_OK);
  if (!statSync(file).isFile()) throw hatobaError('store_unreadable', { file, reason: 'it is not a file' });
  refuseEmptied(file);
}

/** SQLite takes an empty file for a new database, and would drop the write-ahead log that belonged to the old one. */
function refuseEmptied(file: string): void {
  const logSize = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (statSync(file).size === 0 && logSize > 0) {
    throw hatobaError('store_unreadable', { file, reason: 'it is empty, but its write-ahead log is not' });
  }
}
