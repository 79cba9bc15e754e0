import type { DatabaseSync } from 'node:sqlite';
import { hatobaError } from '../../model/errors.ts';
import type { Change } from '../store.ts';
import { keyRange } from './key-range.ts';
import { integer, text, textOrNull } from './rows.ts';

/**
 * Which keys the newest commits put and deleted. Every revision has at least one change and they leave no gaps,
 * so the newest one in the log is the store's. It holds no values, so that its size does not depend on theirs.
 */
export interface ChangeLog {
  /** The newest revision; 0: nothing was ever committed. */
  newest(): number;
  append(revision: number, key: string, kind: 'put' | 'delete'): void;
  /**
   * The first changes under the prefix after a revision, one item per revision, as many as a piece has room for; without
   * puts whose key has been put again or deleted since. Error: `store_compacted`.
   */
  since(prefix: string, after: number): Piece;
  /** Drops the oldest revisions where there are a good deal more than `kept`. */
  compact(kept: number): void;
}

export interface Piece {
  readonly changes: readonly Change[];
  /** Up to which revision these are all. */
  readonly upTo: number;
}

/** What a piece has room for, in characters of keys and values; it has one revision at least, however large. */
const ROOM = 1 << 20;

export function openChangeLog(database: DatabaseSync): ChangeLog {
  // Two subqueries are two look-ups in the index; both aggregates in one query would be a scan of the table.
  const bounds = database.prepare(
    'SELECT (SELECT min(revision) FROM changes) AS oldest, (SELECT max(revision) FROM changes) AS newest',
  );
  const insert = database.prepare('INSERT INTO changes (revision, key, deleted) VALUES (?, ?, ?)');
  // The value of a put is in the entries as long as its key is at its revision; then it has been overtaken.
  const select = database.prepare(
    `SELECT changes.revision, changes.key, entries.value
     FROM changes LEFT JOIN entries ON entries.key = changes.key AND entries.revision = changes.revision
     WHERE changes.revision > ? AND changes.key >= ? AND changes.key < ? AND (deleted OR entries.value IS NOT NULL)
     ORDER BY changes.revision, changes.key`,
  );
  const drop = database.prepare('DELETE FROM changes WHERE revision <= ?');

  function revisions(): { oldest: number; newest: number } {
    const row = bounds.get();
    if (row === undefined || row['newest'] === null) return { oldest: 1, newest: 0 };
    return { oldest: integer(row['oldest']), newest: integer(row['newest']) };
  }

  return {
    newest: () => revisions().newest,

    append(revision, key, kind) {
      insert.run(revision, key, kind === 'delete' ? 1 : 0);
    },

    since(prefix, after) {
      const { oldest, newest } = revisions();
      if (after < oldest - 1) throw hatobaError('store_compacted', { value: after });
      const { from, to } = keyRange(prefix);
      const changes: { revision: number; changes: { key: string; value: string | null }[] }[] = [];
      let length = 0;
      // Row by row, so that of a long log no more is read than there is room for.
      for (const row of select.iterate(after, from, to)) {
        const revision = integer(row['revision']);
        const last = changes.at(-1);
        if (last !== undefined && last.revision !== revision && length > ROOM) return { changes, upTo: last.revision };
        const change = { key: text(row['key']), value: textOrNull(row['value']) };
        length += change.key.length + (change.value?.length ?? 0);
        if (last?.revision === revision) last.changes.push(change);
        else changes.push({ revision, changes: [change] });
      }
      return { changes, upTo: Math.max(after, newest) };
    },

    compact(kept) {
      const { oldest, newest } = revisions();
      // Not on every commit, which would then write to both ends of the log.
      if (newest - oldest + 1 >= kept * 1.1) drop.run(newest - kept);
    },
  };
}
