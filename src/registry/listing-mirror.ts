import type { RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import type { Mirror } from './feed.ts';
import { FORWARDS, STATUSES, splitKey } from './keys.ts';
import { knownGateways } from './statuses/statuses.ts';

/** Since which revision forwards are as they are, and the gateway addresses that they have outside. */
export interface ListingMirror extends Mirror {
  revision(): number;
}

/** `statusesOf`: as they are once the mirrors before this one have changed. */
export function createListingMirror(statusesOf: (router: RouterId) => readonly RouterStatus[]): ListingMirror {
  const gateways = new Map<RouterId, string>();
  let last = 0;

  function haveGatewaysChanged(router: RouterId): boolean {
    const known = knownGateways(statusesOf(router));
    const text = `${known[4]?.text ?? ''} ${known[6]?.text ?? ''}`;
    if ((gateways.get(router) ?? ' ') === text) return false;
    if (text === ' ') gateways.delete(router);
    else gateways.set(router, text);
    return true;
  }

  return {
    revision: () => last,

    apply(changes, revision) {
      const isForward = changes.some(({ key }) => key.startsWith(FORWARDS));
      const routers = new Set(
        changes.filter(({ key }) => key.startsWith(STATUSES)).map(({ key }) => splitKey(key).router),
      );
      const changed = Array.from(routers).filter(haveGatewaysChanged);
      if (isForward || changed.length > 0) last = revision;
      return () => undefined;
    },

    known: () => [],
  };
}
