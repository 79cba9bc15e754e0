import { type Address, addressOf } from '../../model/address.ts';
import { SystemCallError } from '../libc.ts';
import { attributes, dump, get, textOf } from './netlink.ts';

/** linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h. */
const RTM_GETLINK = 18;
const RTM_GETADDR = 22;
const IFLA_IFNAME = 3;
const IFF_UP = 0x1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_SECONDARY = 0x01;
const IFA_F_DADFAILED = 0x08;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_TENTATIVE = 0x40;
const RT_SCOPE_UNIVERSE = 0;
const AF_INET = 2;
const AF_INET6 = 10;

export const LINK_AND_ADDRESS_GROUPS = [1, 5, 9] as const; // RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR

export interface InterfaceAddress {
  readonly address: Address;
  readonly prefixLength: number;
  /** Usable as a source towards anywhere: of global scope, and (IPv6) neither tentative nor deprecated nor a duplicate. */
  readonly usable: boolean;
  /** IPv4: not the first of its subnet. */
  readonly secondary: boolean;
}

export interface Interface {
  readonly name: string;
  readonly up: boolean;
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
    const name = textOf(attributes(body.subarray(16)).get(IFLA_IFNAME));
    byIndex.set(body.readInt32LE(4), { name, up: (body.readUInt32LE(8) & IFF_UP) !== 0, addresses: [] });
  });
  dump(fd, RTM_GETADDR, Buffer.alloc(8), ({ body }) => {
    const address = interfaceAddress(body);
    if (address !== undefined) byIndex.get(body.readUInt32LE(4))?.addresses.push(address);
  });
  return byIndex;
}

function interfaceAddress(body: Buffer): InterfaceAddress | undefined {
  const family = body.readUInt8(0) === AF_INET ? 4 : body.readUInt8(0) === AF_INET6 ? 6 : undefined;
  if (family === undefined) return undefined;
  const found = attributes(body.subarray(8));
  const bytes = found.get(IFA_LOCAL) ?? found.get(IFA_ADDRESS);
  if (bytes === undefined) return undefined;
  const flags = found.get(IFA_FLAGS)?.readUInt32LE(0) ?? body.readUInt8(2);
  const passing = IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE;
  return {
    address: addressOf(family, BigInt(`0x${bytes.toString('hex')}`)),
    prefixLength: body.readUInt8(1),
    usable: body.readUInt8(3) === RT_SCOPE_UNIVERSE && (flags & passing) === 0,
    secondary: family === 4 && (flags & IFA_F_SECONDARY) !== 0,
  };
}
