import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

/** A store on disk that is gone when it is removed. */
export interface TemporaryStore extends Store {
  remove(): Promise<void>;
}

export function openTemporaryStore(options: SqliteStoreOptions = {}): TemporaryStore {
  const directory = mkdtempSync(join(tmpdir(), 'hatoba-registry-'));
  const store = openSqliteStore(join(directory, 'hatoba.db'), options);
  return {
    ...store,
    async remove() {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
