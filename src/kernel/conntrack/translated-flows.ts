import { dump, findAttribute, readUninterrupted } from '../netlink/netlink.ts';
import { createNetlinkWriter } from '../netlink/netlink-writer.ts';
import { NFGENMSG, typeOf } from './ctnetlink.ts';
import { type Flow, readFlow } from './flow.ts';
import { CT_MSG, CTA, PROTOCOL_INFO, TCP_INFO } from './nf-conntrack.ts';

/** nf_conntrack_common.h: IPS_DST_NAT; nf_conntrack_tcp.h: TCP_CONNTRACK_TIME_WAIT and TCP_CONNTRACK_CLOSE. */
const DESTINATION_TRANSLATED = 1 << 5;
const ENDED = [7, 8];

/**
 * Goes through the flows whose destination was translated, but for TCP connections that have ended, and gives `result`;
 * `begin` is called again where the kernel's table changed so that it has to be read again. Kernels before 5.16 tell of
 * others, too, hence what they tell is looked at.
 */
export function readTranslatedFlows<Result>(
  fd: number,
  begin: () => { readonly result: Result; readonly onFlow: (flow: Flow) => void },
): Result {
  const writer = createNetlinkWriter();
  writer.bytes(Buffer.alloc(NFGENMSG));
  for (const type of [CTA.status, CTA.statusMask]) writer.number(type, DESTINATION_TRANSLATED);
  const request = writer.finish();
  return readUninterrupted(() => {
    const { result, onFlow } = begin();
    dump(fd, typeOf(CT_MSG.get), request, ({ body }) => {
      const flow = isTranslated(body) && !hasEnded(body) ? readFlow(body) : undefined;
      if (flow !== undefined) onFlow(flow);
    });
    return result;
  });
}

function isTranslated(body: Buffer): boolean {
  const status = findAttribute(body, null, CTA.status);
  return status !== undefined && (body.readUInt32BE(status) & DESTINATION_TRANSLATED) !== 0;
}

function hasEnded(body: Buffer): boolean {
  const info = findAttribute(body, null, CTA.protocolInfo);
  const tcp = info && findAttribute(body, info, PROTOCOL_INFO.tcp);
  const state = tcp && findAttribute(body, tcp, TCP_INFO.state);
  return state !== undefined && ENDED.includes(body[state] ?? 0);
}
