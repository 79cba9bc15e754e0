import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { hatobaError } from '../../model/errors.ts';

/** Column values, of the type that the schema declares (all tables are STRICT). */
export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw unexpected('an integer', value);
  return value;
}

export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw unexpected('a text', value);
  return value;
}

export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return value === null ? null : text(value);
}

export function integerPragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return integer(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** All of it or nothing. */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite itself has rolled back after some errors (https://www.sqlite.org/lang_transaction.html).
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** How long a commit takes: until it is on the disk, or until it is in the write-ahead log (https://www.sqlite.org/pragma.html#pragma_synchronous). */
export function setDurable(database: DatabaseSync, durable: boolean): void {
  database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
}

function unexpected(wanted: string, value: SQLOutputValue | undefined): Error {
  return hatobaError('store_failed', { reason: `the database gave ${typeof value} where ${wanted} belongs` });
}
