import type { DatabaseSync } from 'node:sqlite';
import { hatobaError } from '../../model/errors.ts';
import { integer, integerPragma, transaction } from './rows.ts';

/** Marks the file as ours (offset 68 of its header): "htba". */
export const APPLICATION_ID = 0x68_74_62_61;

/**
 * What makes version N of the schema out of version N - 1, at index N - 1; version 0 is an empty file.
 * What has been released is never edited: a change is one more at the end.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE entries (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     revision INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE changes (
     revision INTEGER NOT NULL,
     key TEXT NOT NULL,
     value TEXT,
     PRIMARY KEY (revision, key)
   ) STRICT, WITHOUT ROWID;`,

  `ALTER TABLE changes RENAME TO changes_with_values;
   CREATE TABLE changes (
     revision INTEGER NOT NULL,
     key TEXT NOT NULL,
     deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
     PRIMARY KEY (revision, key)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO changes SELECT revision, key, value IS NULL FROM changes_with_values;
   DROP TABLE changes_with_values;`,

  // Names were unique; now they are in each project, and their keys end with it where there is one.
  `CREATE TEMPORARY TABLE owners AS
     SELECT json_quote(substr(key, -36)) AS owner, json_extract(value, '$.project_id') AS project
     FROM entries WHERE key GLOB 'forwards/*/*' AND json_valid(value);
   CREATE INDEX temp.owners_by_owner ON owners (owner);
   UPDATE entries SET key = entries.key || '/' || owners.project
   FROM owners WHERE entries.key GLOB 'names/*' AND owners.owner = entries.value AND owners.project IS NOT NULL;
   DROP TABLE temp.owners;`,
];

/**
 * The version of the database's schema; only reads. Errors: `store_unreadable` where the file is another
 * program's, `store_newer` where a later version than `newest` wrote it.
 */
export function schemaVersion(database: DatabaseSync, file: string, newest: number): number {
  const version = integerPragma(database, 'user_version');
  const applicationId = integerPragma(database, 'application_id');
  const objects = integer(database.prepare('SELECT count(*) AS objects FROM sqlite_schema').get()?.['objects']);
  if (applicationId !== APPLICATION_ID) {
    if (applicationId === 0 && version === 0 && objects === 0) return 0;
    throw hatobaError('store_unreadable', { file, reason: 'it belongs to another program' });
  }
  if (version > newest) throw hatobaError('store_newer', { file, found: version, known: newest });
  return version;
}

/** Leads the schema from `version` to the newest, in one transaction. */
export function migrate(database: DatabaseSync, version: number, migrations: readonly string[]): void {
  if (version === migrations.length) return;
  transaction(database, () => {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}
