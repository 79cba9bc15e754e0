import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreAt } from './store-address.ts';
import { storeContract } from './store-contract.ts';

storeContract('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-store-'));
  const address = `sqlite:${join(directory, 'hatoba.db')}`;
  return {
    address,
    open: () => openStoreAt(address),
    remove: () => rm(directory, { recursive: true }),
  };
});
