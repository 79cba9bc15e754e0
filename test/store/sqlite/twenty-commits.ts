import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';

/** A process that makes 20 commits to the database FILE, `durable` ones or not. */
const [file = '', kind] = process.argv.slice(2);
const store = openSqliteStore(file);
for (let at = 0; at < 20; at++) {
  await store.commit({ puts: [{ key: `k${at}`, value: '1' }], durable: kind === 'durable' });
}
await store.close();
