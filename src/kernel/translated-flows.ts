import type { Family } from '../model/address.ts';
import { AF, CTA, GET, IP, NFGENMSG, PROTOCOL, TUPLE, typeOf } from './ctnetlink.ts';
import { dump, findAttribute, readUninterrupted } from './netlink.ts';
import { createNetlinkWriter } from './netlink-writer.ts';

/**
 * linux/netfilter/nfnetlink_conntrack.h; nf_conntrack_common.h: IPS_DST_NAT; nf_conntrack_tcp.h: TCP_CONNTRACK_TIME_WAIT and
 * TCP_CONNTRACK_CLOSE.
 */
const PROTOCOL_INFO_TCP = 1;
const TCP_STATE = 1;
const DESTINATION_TRANSLATED = 1 << 5;
const ENDED = [7, 8];

/** A flow, as its first packet was and where it was sent; addresses as hexadecimal digits. */
export interface RawFlow {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly target: string;
  readonly targetPort: number;
}

/**
 * Goes through the flows whose destination was translated, but for TCP connections that have ended, and gives `result`;
 * `begin` is called again where the kernel's table changed so that it has to be read again. Kernels before 5.16 tell of
 * others, too, hence what they tell is looked at.
 */
export function readTranslatedFlows<Result>(
  fd: number,
  begin: () => { readonly result: Result; readonly onFlow: (flow: RawFlow) => void },
): Result {
  const writer = createNetlinkWriter();
  writer.bytes(Buffer.alloc(NFGENMSG));
  for (const type of [CTA.status, CTA.statusMask]) writer.number(type, DESTINATION_TRANSLATED);
  const request = writer.finish();
  return readUninterrupted(() => {
    const { result, onFlow } = begin();
    dump(fd, typeOf(GET), request, ({ body }) => {
      const flow = readFlow(body);
      if (flow !== undefined) onFlow(flow);
    });
    return result;
  });
}

/**
 * There can be a hundred thousand of them, and the thread does nothing else meanwhile: so they are read in place, without
 * an object for each attribute.
 */
function readFlow(body: Buffer): RawFlow | undefined {
  const family = body[0] === AF[4] ? 4 : 6;
  const status = findAttribute(body, null, CTA.status);
  if (status === undefined || (body.readUInt32BE(status) & DESTINATION_TRANSLATED) === 0) return undefined;
  const original = findAttribute(body, null, CTA.original);
  const reply = findAttribute(body, null, CTA.reply);
  if (original === undefined || reply === undefined || hasEnded(body)) return undefined;
  return {
    protocol: readProtocol(body, original),
    source: readAddress(body, original, family, 'source'),
    destination: readAddress(body, original, family, 'destination'),
    port: readPort(body, original, PROTOCOL.destinationPort),
    target: readAddress(body, reply, family, 'source'),
    targetPort: readPort(body, reply, PROTOCOL.sourcePort),
  };
}

function hasEnded(body: Buffer): boolean {
  const info = findAttribute(body, null, CTA.protocolInfo);
  const tcp = info && findAttribute(body, info, PROTOCOL_INFO_TCP);
  const state = tcp && findAttribute(body, tcp, TCP_STATE);
  return state !== undefined && ENDED.includes(body[state] ?? 0);
}

function readAddress(body: Buffer, tuple: number, family: Family, end: 'source' | 'destination'): string {
  const ip = findAttribute(body, tuple, TUPLE.ip);
  const at = ip && findAttribute(body, ip, IP[family][end]);
  return at === undefined ? '' : body.toString('hex', at, at + (family === 4 ? 4 : 16));
}

function readProtocol(body: Buffer, tuple: number): number {
  const protocol = findAttribute(body, tuple, TUPLE.protocol);
  const at = protocol && findAttribute(body, protocol, PROTOCOL.number);
  return (at && body[at]) ?? 0;
}

function readPort(body: Buffer, tuple: number, type: number): number {
  const protocol = findAttribute(body, tuple, TUPLE.protocol);
  const at = protocol && findAttribute(body, protocol, type);
  return at === undefined ? 0 : body.readUInt16BE(at);
}
