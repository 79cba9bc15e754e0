import type { Address, Family } from '../../model/address.ts';
import type { FlowUsage } from '../../model/flow-usage.ts';
import { attributes, dump, get, NLM_F_REQUEST, readUninterrupted, sendAll } from '../netlink/netlink.ts';
import { createNetlinkWriter } from '../netlink/netlink-writer.ts';
import { type Flow, rawAddress, readFlow } from './flow.ts';
import { AF, CT_MSG, CTA, FILTER, FILTER_BY, IP, PROTOCOL, STATISTICS, TUPLE } from './nf-conntrack.ts';

/**
 * Connection tracking entries (linux/netfilter/nfnetlink_conntrack.h). Numbers inside attributes are in network byte
 * order, but for the flags of a filter.
 */
const NFNL_SUBSYS_CTNETLINK = 1;
export const NFGENMSG = 4;

/** Which flows the kernel is to tell of, by their first packet; `null`: any. */
export interface FlowFilter {
  readonly family: Family;
  readonly protocol: number | null;
  readonly destination: Address | null;
  /** `null` where the protocol is. */
  readonly port: number | null;
}

/** Of the socket's namespace; the limit is net.netfilter.nf_conntrack_max. */
export function readFlowUsage(fd: number): FlowUsage {
  const answer = get(fd, typeOf(CT_MSG.getStatistics), requestOf(4));
  const found = attributes(answer?.subarray(NFGENMSG) ?? Buffer.alloc(0));
  return {
    entries: found.get(STATISTICS.entries)?.readUInt32BE(0) ?? 0,
    limit: found.get(STATISTICS.limit)?.readUInt32BE(0) ?? null,
  };
}

/** How many entries the socket's namespace has. */
export function countFlows(fd: number): number {
  return readFlowUsage(fd).entries;
}

/**
 * What names those of the flows that are meant, for `deleteFlows`. The kernel tells of all that pass the filter, and may
 * of others. It goes through a table of all namespaces for it: 13 ms where that has 262,144 buckets.
 */
export function findFlows(fd: number, filter: FlowFilter, isMeant: (flow: Flow) => boolean): readonly Buffer[] {
  const request = filteredRequest(filter);
  return readUninterrupted(() => {
    const references: Buffer[] = [];
    dump(fd, typeOf(CT_MSG.get), request, ({ body }) => {
      const flow = readFlow(body);
      if (flow !== undefined && isMeant(flow)) references.push(referenceOf(body));
    });
    return references;
  });
}

/** Ends them; what has ended meanwhile is no error. */
export function deleteFlows(fd: number, family: Family, references: readonly Buffer[]): void {
  const writer = createNetlinkWriter();
  for (const [index, reference] of references.entries()) {
    writer.message(typeOf(CT_MSG.delete), NLM_F_REQUEST, index, () => {
      writer.bytes(requestOf(family));
      writer.bytes(reference);
    });
  }
  if (references.length > 0) sendAll(fd, writer.finish());
}

export function typeOf(message: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | message;
}

/** `struct nfgenmsg`. */
function requestOf(family: Family): Buffer {
  return Buffer.from([AF[family], 0, 0, 0]);
}

/**
 * Kernels before 5.8 know no filter. IPv6 addresses are left out of it: the kernel takes those that are equal for
 * different ones (`ctnetlink_filter_match_tuple` of nf_conntrack_netlink.c, seen on Linux 6.18). It reads a port only
 * behind a protocol.
 */
function filteredRequest({ family, protocol, destination, port }: FlowFilter): Buffer {
  const address = family === 4 ? destination : null;
  const writer = createNetlinkWriter();
  writer.bytes(requestOf(family));
  writer.nest(CTA.original, () => {
    if (address !== null) writer.nest(TUPLE.ip, () => writer.attribute(IP[4].destination, bytesOf(address)));
    writer.nest(TUPLE.protocol, () => {
      writer.attribute(PROTOCOL.number, Buffer.from([protocol ?? 0]));
      writer.space(PROTOCOL.destinationPort, 2, (into, at) => into.writeUInt16BE(port ?? 0, at));
    });
  });
  const flags =
    (address === null ? 0 : FILTER_BY.destination) |
    (protocol === null ? 0 : FILTER_BY.protocol) |
    (port === null ? 0 : FILTER_BY.destinationPort);
  writer.nest(CTA.filter, () => writer.space(FILTER.original, 4, (into, at) => into.writeUInt32LE(flags, at)));
  return writer.finish();
}

/** The first packet's addresses and ports, its zone, and the entry's id: never another flow that came in its place. */
function referenceOf(body: Buffer): Buffer {
  const found = attributes(body.subarray(NFGENMSG));
  const writer = createNetlinkWriter();
  for (const type of [CTA.original, CTA.zone, CTA.id]) {
    const value = found.get(type);
    if (value !== undefined) writer.attribute(type, value);
  }
  return writer.finish();
}

function bytesOf(address: Address): Buffer {
  return Buffer.from(rawAddress(address), 'hex');
}
