import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

/** Opens the store at `sqlite:FILE`. */
export async function openStoreAt(address: string): Promise<Store> {
  const [scheme, rest] = [address.slice(0, address.indexOf(':')), address.slice(address.indexOf(':') + 1)];
  if (scheme !== 'sqlite') throw new Error(`no store is known for ${address}`);
  return openSqliteStore(rest);
}
