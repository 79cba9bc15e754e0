import { type Address, addressOf, type Family } from '../../model/address.ts';
import { SystemCallError } from '../libc.ts';
import { attributes, dump, get, textOf } from './netlink.ts';

/** linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h. */
const RTM_GETLINK = 18;
const RTM_GETADDR = 22;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFF_UP = 0x1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const AF_INET = 2;
const AF_INET6 = 10;

/** IFA_F_… of linux/if_addr.h, by the words of `ip address`. The first has one meaning in each family. */
const SECONDARY_OR_TEMPORARY = 0x01;
const ADDRESS_FLAGS = [
  ['nodad', 0x02],
  ['optimistic', 0x04],
  ['dadfailed', 0x08],
  ['home', 0x10],
  ['deprecated', 0x20],
  ['tentative', 0x40],
  ['permanent', 0x80],
  ['mngtmpaddr', 0x100],
  ['noprefixroute', 0x200],
  ['autojoin', 0x400],
  ['stable-privacy', 0x800],
] as const;

export type AddressFlag = 'secondary' | 'temporary' | (typeof ADDRESS_FLAGS)[number][0];

export const LINK_AND_ADDRESS_GROUPS = [1, 5, 9] as const; // RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR

export interface InterfaceAddress {
  readonly address: Address;
  readonly prefixLength: number;
  /** `rtm_scope` of rtnetlink(7): 0 (global), 200 (site), 253 (link), 254 (host). */
  readonly scope: number;
  readonly flags: readonly AddressFlag[];
}

export interface Interface {
  readonly name: string;
  readonly up: boolean;
  /** Whether it is a bridge of Linux, whose ports' packets netfilter may see without being routed (`br_netfilter`). */
  readonly isBridge: boolean;
  /** In the kernel's order. */
  readonly addresses: readonly InterfaceAddress[];
}

/** The interface of this number in the namespace that this route socket is in; the number where there is none (any more). */
export function readInterfaceName(fd: number, index: number): string {
  const request = Buffer.alloc(16);
  request.writeInt32LE(index, 4);
  try {
    const answer = get(fd, RTM_GETLINK, request);
    return textOf(answer && attributes(answer.subarray(16)).get(IFLA_IFNAME)) || String(index);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return String(index);
  }
}

/** The interfaces of the namespace that this route socket is in, by their numbers, in order of creation. Throws InterruptedDump. */
export function readInterfaces(fd: number): ReadonlyMap<number, Interface> {
  const byIndex = new Map<number, Interface & { readonly addresses: InterfaceAddress[] }>();
  dump(fd, RTM_GETLINK, Buffer.alloc(16), ({ body }) => {
    const found = attributes(body.subarray(16));
    byIndex.set(body.readInt32LE(4), {
      name: textOf(found.get(IFLA_IFNAME)),
      up: (body.readUInt32LE(8) & IFF_UP) !== 0,
      isBridge: kindOf(found.get(IFLA_LINKINFO)) === 'bridge',
      addresses: [],
    });
  });
  dump(fd, RTM_GETADDR, Buffer.alloc(8), ({ body }) => {
    const address = interfaceAddress(body);
    if (address !== undefined) byIndex.get(body.readUInt32LE(4))?.addresses.push(address);
  });
  return byIndex;
}

function kindOf(linkInfo: Buffer | undefined): string {
  return linkInfo === undefined ? '' : textOf(attributes(linkInfo).get(IFLA_INFO_KIND));
}

function interfaceAddress(body: Buffer): InterfaceAddress | undefined {
  const family = body.readUInt8(0) === AF_INET ? 4 : body.readUInt8(0) === AF_INET6 ? 6 : undefined;
  if (family === undefined) return undefined;
  const found = attributes(body.subarray(8));
  const bytes = found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS);
  if (bytes === undefined) return undefined;
  return {
    address: addressOf(family, BigInt(`0x${bytes.toString('hex')}`)),
    prefixLength: body.readUInt8(1),
    scope: body.readUInt8(3),
    flags: addressFlags(found.get(IFA_FLAGS)?.readUInt32LE(0) ?? body.readUInt8(2), family),
  };
}

/** Bits that are not known are left out. */
export function addressFlags(bits: number, family: Family): readonly AddressFlag[] {
  const first: AddressFlag = family === 4 ? 'secondary' : 'temporary';
  const others = ADDRESS_FLAGS.flatMap(([flag, bit]) => ((bits & bit) === 0 ? [] : [flag]));
  return (bits & SECONDARY_OR_TEMPORARY) === 0 ? others : [first, ...others];
}
