import { type FoundRoute, preferredRoutes, readDefaultRoutes } from './default-routes.ts';
import type { Links } from './kernel.ts';
import { SystemCallError } from './libc.ts';
import { readUninterrupted } from './netlink.ts';
import { type Interface, readInterfaces } from './rtnetlink.ts';

/** Reads how a namespace is connected, again and again. */
export interface LinkReader {
  /**
   * `hasNewRoutes`: a default route may have come or gone since the last time. `undefined`: it all changes faster than it
   * can be read; whatever interrupts is an event, by which it is begun anew.
   */
  read(hasNewRoutes: boolean): Links | undefined;
}

/**
 * `fd`: a route socket in the namespace. The kernel tells of routes only all at once, which a machine can have a million
 * of. So they are read only when a default route was told of, or the interface of one has changed, by which the kernel
 * drops routes without telling.
 */
export function createLinkReader(fd: number, wantsRoutes: boolean): LinkReader {
  let interfaces: ReadonlyMap<number, Interface> = new Map();
  let routes: readonly FoundRoute[] = [];
  let areRoutesStale = wantsRoutes;
  return {
    read(hasNewRoutes) {
      areRoutesStale ||= wantsRoutes && hasNewRoutes;
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
    areRoutesStale ||= routes.some(({ outward }) => !isSame(interfaces.get(outward), found.get(outward)));
    if (areRoutesStale) routes = readDefaultRoutes(fd);
    areRoutesStale = false;
    interfaces = found;
    return { interfaces: [...found.values()], defaultRoutes: preferredRoutes(routes, found) };
  }
}

function isSame(a: Interface | undefined, b: Interface | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
