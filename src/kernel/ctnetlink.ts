import { type Address, addressOf, addressValue, type Family } from '../model/address.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import { attributes, dump, get, type Message, NLM_F_REQUEST, readUninterrupted, sendAll } from './netlink.ts';
import { createNetlinkWriter } from './netlink-writer.ts';

/**
 * Connection tracking entries (linux/netfilter/nfnetlink_conntrack.h). Numbers inside attributes are in network byte
 * order, but for the flags of a filter.
 */
const NFNL_SUBSYS_CTNETLINK = 1;
export const GET = 1;
const DELETE = 2;
const GET_STATS = 5;
export const NFGENMSG = 4;
export const AF = { 4: 2, 6: 10 } as const;

export const CTA = {
  original: 1,
  reply: 2,
  status: 3,
  protocolInfo: 4,
  id: 12,
  zone: 18,
  filter: 25,
  statusMask: 26,
} as const;
export const TUPLE = { ip: 1, protocol: 2 } as const;
export const IP = { 4: { source: 1, destination: 2 }, 6: { source: 3, destination: 4 } } as const;
export const PROTOCOL = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
const FILTER_ORIGINAL = 1;
const FILTER_IP_DESTINATION = 1 << 1;
const FILTER_PROTOCOL_NUMBER = 1 << 3;
const FILTER_DESTINATION_PORT = 1 << 5;
const STATS = { entries: 1, limit: 2 } as const;

/** One flow, as its first packet was, and where it was sent. */
export interface Flow {
  readonly source: Address;
  readonly port: number;
  readonly target: Address;
  readonly targetPort: number;
  /** What names it in the kernel: attributes for a request about it. */
  readonly reference: Buffer;
}

/** Of the socket's namespace; the limit is net.netfilter.nf_conntrack_max. */
export function readFlowUsage(fd: number): FlowUsage {
  const answer = get(fd, typeOf(GET_STATS), requestOf(4));
  const found = attributes(answer?.subarray(NFGENMSG) ?? Buffer.alloc(0));
  return {
    entries: found.get(STATS.entries)?.readUInt32BE(0) ?? 0,
    limit: found.get(STATS.limit)?.readUInt32BE(0) ?? null,
  };
}

/** How many entries the socket's namespace has. */
export function countFlows(fd: number): number {
  return readFlowUsage(fd).entries;
}

/**
 * The flows whose first packet went to this address by this protocol, and to this port (`null`: any). The kernel goes
 * through a table of all namespaces for it: 13 ms where it has 262,144 buckets.
 */
export function readFlows(fd: number, destination: Address, protocol: number, port: number | null): readonly Flow[] {
  return readUninterrupted(() => {
    const flows: Flow[] = [];
    dump(fd, typeOf(GET), filterOf(destination, protocol, port), (message) => {
      const flow = readFlow(message, destination, protocol);
      if (flow !== undefined && (port === null || flow.port === port)) flows.push(flow);
    });
    return flows;
  });
}

/** Ends them; what has ended meanwhile is no error. */
export function deleteFlows(fd: number, family: Family, flows: readonly Flow[]): void {
  const writer = createNetlinkWriter();
  for (const [index, { reference }] of flows.entries()) {
    writer.message(typeOf(DELETE), NLM_F_REQUEST, index, () => {
      writer.bytes(requestOf(family));
      writer.bytes(reference);
    });
  }
  if (flows.length > 0) sendAll(fd, writer.finish());
}

export function typeOf(message: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | message;
}

/** `struct nfgenmsg`. */
function requestOf(family: Family): Buffer {
  return Buffer.from([AF[family], 0, 0, 0]);
}

/**
 * So that the kernel does not tell of all flows. Kernels before 5.8 do so all the same, hence what they tell is looked at
 * again. IPv6 addresses are left out of the filter: the kernel takes those that are equal for different ones
 * (`ctnetlink_filter_match_tuple` of nf_conntrack_netlink.c, seen on Linux 6.18).
 */
function filterOf({ family, text }: Address, protocol: number, port: number | null): Buffer {
  const writer = createNetlinkWriter();
  writer.bytes(requestOf(family));
  writer.nest(CTA.original, () => {
    writer.nest(TUPLE.ip, () => writer.attribute(IP[family].destination, bytesOf({ family, text })));
    writer.nest(TUPLE.protocol, () => {
      writer.attribute(PROTOCOL.number, Buffer.from([protocol]));
      writer.space(PROTOCOL.destinationPort, 2, (into, at) => into.writeUInt16BE(port ?? 0, at));
    });
  });
  const [byAddress, byPort] = [family === 4 ? FILTER_IP_DESTINATION : 0, port === null ? 0 : FILTER_DESTINATION_PORT];
  const flags = FILTER_PROTOCOL_NUMBER | byAddress | byPort;
  writer.nest(CTA.filter, () => writer.space(FILTER_ORIGINAL, 4, (into, at) => into.writeUInt32LE(flags, at)));
  return writer.finish();
}

function readFlow({ body }: Message, destination: Address, protocol: number): Flow | undefined {
  const { family } = destination;
  if (body[0] !== AF[family]) return undefined;
  const found = attributes(body.subarray(NFGENMSG));
  const original = readTuple(found.get(CTA.original), family);
  const reply = readTuple(found.get(CTA.reply), family);
  if (original === undefined || reply === undefined) return undefined;
  if (original.protocol !== protocol || original.destination.text !== destination.text) return undefined;
  return {
    source: original.source,
    port: original.destinationPort,
    target: reply.source,
    targetPort: reply.sourcePort,
    reference: referenceOf(found),
  };
}

function readTuple(data: Buffer | undefined, family: Family) {
  if (data === undefined) return undefined;
  const tuple = attributes(data);
  const ip = attributes(tuple.get(TUPLE.ip) ?? Buffer.alloc(0));
  const protocol = attributes(tuple.get(TUPLE.protocol) ?? Buffer.alloc(0));
  const [source, destination] = [ip.get(IP[family].source), ip.get(IP[family].destination)];
  if (source === undefined || destination === undefined) return undefined;
  return {
    source: addressFrom(source, family),
    destination: addressFrom(destination, family),
    protocol: protocol.get(PROTOCOL.number)?.[0] ?? 0,
    sourcePort: protocol.get(PROTOCOL.sourcePort)?.readUInt16BE(0) ?? 0,
    destinationPort: protocol.get(PROTOCOL.destinationPort)?.readUInt16BE(0) ?? 0,
  };
}

/** The first packet's addresses and ports, its zone, and the entry's id: never another flow that came in its place. */
function referenceOf(found: ReadonlyMap<number, Buffer>): Buffer {
  const writer = createNetlinkWriter();
  for (const type of [CTA.original, CTA.zone, CTA.id]) {
    const value = found.get(type);
    if (value !== undefined) writer.attribute(type, value);
  }
  return writer.finish();
}

function addressFrom(bytes: Buffer, family: Family): Address {
  return addressOf(family, BigInt(`0x${bytes.toString('hex')}`));
}

function bytesOf(address: Address): Buffer {
  const size = address.family === 4 ? 8 : 32;
  return Buffer.from(addressValue(address).toString(16).padStart(size, '0'), 'hex');
}
