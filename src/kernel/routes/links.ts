import type { Links } from '../kernel.ts';
import { SystemCallError } from '../libc.ts';
import { readUninterrupted } from '../netlink/netlink.ts';
import { readInterfaces } from '../netlink/rtnetlink.ts';
import { type FoundRoute, preferredRoutes, readDefaultRoutes } from './default-routes.ts';

/** What was told since the last time. */
export interface Told {
  /** A default route, or more than could be read. */
  readonly routes: boolean;
  /** The numbers of interfaces that were told of, or whose addresses were. */
  readonly interfaces: ReadonlySet<number>;
}

/** Reads how a namespace is connected, again and again. */
export interface LinkReader {
  /** `undefined`: it all changes faster than it can be read; whatever interrupts is an event, by which it is begun anew. */
  read(told: Told): Links | undefined;
}

/**
 * `fd`: a route socket in the namespace. The kernel tells of routes only all at once, which a machine can have a million
 * of. So they are read only when a default route was told of, or the interface of one, by whose changes the kernel drops
 * routes without telling; also by those that cannot be seen any more when it is read, such as going down and up again.
 */
export function createLinkReader(fd: number, wantsRoutes: boolean): LinkReader {
  let routes: readonly FoundRoute[] = [];
  let areRoutesStale = false;
  return {
    read(told) {
      const isTold = told.routes || routes.some(({ outward }) => told.interfaces.has(outward));
      areRoutesStale ||= wantsRoutes && isTold;
      try {
        return readUninterrupted(readOnce);
      } catch (error) {
        if (error instanceof SystemCallError && error.errno === 'EAGAIN') return undefined;
        throw error;
      }
    },
  };

  function readOnce(): Links {
    const found = readInterfaces(fd);
    if (areRoutesStale) routes = readDefaultRoutes(fd);
    areRoutesStale = false;
    return { interfaces: [...found.values()], defaultRoutes: preferredRoutes(routes, found) };
  }
}
