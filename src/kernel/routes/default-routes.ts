import type { Family } from '../../model/address.ts';
import { attributes, dump, type Message } from '../netlink/netlink.ts';
import type { Interface } from '../netlink/rtnetlink.ts';

/** linux/rtnetlink.h */
const [RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE] = [24, 25, 26];
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTN_UNICAST = 1;
const RT_TABLE_MAIN = 254;
const RTNH_F_DEAD = 0x1;
const AF_INET = 2;
const AF_INET6 = 10;
/** `struct rtmsg`, and the place of the interface's number in `struct rtnexthop`. */
const FIXED = 12;
const NEXTHOP_INTERFACE = 4;

export const ROUTE_GROUPS = [7, 11] as const; // RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE

/** Where packets leave to that no other route is for. */
export interface DefaultRoute {
  readonly family: Family;
  /** Its name; of several ways at once, that of the first. */
  readonly interface: string;
}

/** A default route of the main table, whether or not it leads anywhere now. */
export interface FoundRoute {
  readonly family: Family;
  /** The number of its interface. */
  readonly outward: number;
  readonly metric: number;
  readonly isDead: boolean;
}

/** All of the namespace that this route socket is in. Throws InterruptedDump. */
export function readDefaultRoutes(fd: number): readonly FoundRoute[] {
  const found: FoundRoute[] = [];
  for (const [family, number] of [
    [4, AF_INET],
    [6, AF_INET6],
  ] as const) {
    const request = Buffer.alloc(FIXED);
    request.writeUInt8(number, 0);
    dump(fd, RTM_GETROUTE, request, ({ body }) => {
      if (!isDefault(body) || body.readUInt8(7) !== RTN_UNICAST) return;
      const fields = attributes(body.subarray(FIXED));
      const outward = fields.get(RTA_OIF) ?? fields.get(RTA_MULTIPATH)?.subarray(NEXTHOP_INTERFACE);
      if (outward === undefined) return;
      found.push({
        family,
        outward: outward.readInt32LE(0),
        metric: fields.get(RTA_PRIORITY)?.readUInt32LE(0) ?? 0,
        isDead: (body.readUInt32LE(8) & RTNH_F_DEAD) !== 0,
      });
    });
  }
  return found;
}

/**
 * As the kernel prefers them. `interfaces`: by their numbers. A route through an interface that is down is none: the
 * kernel drops it without telling, right after it has told of the interface.
 */
export function preferredRoutes(
  routes: readonly FoundRoute[],
  interfaces: ReadonlyMap<number, Interface>,
): readonly DefaultRoute[] {
  return routes
    .toSorted((a, b) => a.metric - b.metric)
    .flatMap(({ family, outward, isDead }) => {
      const link = interfaces.get(outward);
      return link?.up === true && !isDead ? [{ family, interface: link.name }] : [];
    });
}

export type Subject =
  /** A link, or an address of it; `interface`: its number. */
  { readonly kind: 'link'; readonly interface: number } | { readonly kind: 'default route' | 'other route' };

/** What was told of; a machine can have a million other routes that come and go. */
export function subjectOf({ type, body }: Message): Subject {
  // At the same place of `struct ifinfomsg` and `struct ifaddrmsg`.
  if (type !== RTM_NEWROUTE && type !== RTM_DELROUTE) return { kind: 'link', interface: body.readInt32LE(4) };
  return { kind: isDefault(body) ? 'default route' : 'other route' };
}

/** For any destination, in the main table, whatever the type of service. */
function isDefault(body: Buffer): boolean {
  if (body.readUInt8(1) !== 0 || body.readUInt8(2) !== 0 || body.readUInt8(3) !== 0) return false;
  return (attributes(body.subarray(FIXED)).get(RTA_TABLE)?.readUInt32LE(0) ?? body.readUInt8(4)) === RT_TABLE_MAIN;
}
