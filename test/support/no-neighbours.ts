import type { Neighbours } from '../../src/dataplane/neighbours.ts';

/** Nobody else has rules anywhere. */
export const NO_NEIGHBOURS: Neighbours = Object.freeze({
  priority: -110,
  read: async () => ({ dumps: [], nft: null, unread: [] }),
  changesInSilence: async () => false,
  remove: async () => [],
});
