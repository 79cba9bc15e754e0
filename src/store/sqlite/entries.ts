import type { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../store.ts';
import { keyRange } from './key-range.ts';
import { integer, text } from './rows.ts';

/** The keys as they are now. */
export interface Entries {
  /** Under the prefix, in key order. */
  read(prefix: string): readonly Entry[];
  /** 0: there is no such key. */
  revisionOf(key: string): number;
  put(entry: Entry): void;
  /** Whether there was such a key. */
  remove(key: string): boolean;
}

export function openEntries(database: DatabaseSync): Entries {
  const select = database.prepare('SELECT key, value, revision FROM entries WHERE key >= ? AND key < ? ORDER BY key');
  const selectRevision = database.prepare('SELECT revision FROM entries WHERE key = ?');
  const upsert = database.prepare(
    `INSERT INTO entries (key, value, revision) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision`,
  );
  const remove = database.prepare('DELETE FROM entries WHERE key = ?');

  return {
    read(prefix) {
      const { from, to } = keyRange(prefix);
      return select.all(from, to).map((row) => ({
        key: text(row['key']),
        value: text(row['value']),
        revision: integer(row['revision']),
      }));
    },

    revisionOf(key) {
      const row = selectRevision.get(key);
      return row === undefined ? 0 : integer(row['revision']);
    },

    put({ key, value, revision }) {
      upsert.run(key, value, revision);
    },

    remove: (key) => Number(remove.run(key).changes) > 0,
  };
}
