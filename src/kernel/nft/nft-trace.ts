import { addressOf } from '../../model/address.ts';
import type { PacketEnds } from '../../model/observation.ts';
import { attributes, type Message, textOf } from '../netlink/netlink.ts';
import { NFT_FAMILIES, NFT_MSG, TRACE, VERDICT } from '../netlink/nf-tables.ts';
import { NFGENMSG, nftMessageType } from '../netlink/nfnetlink.ts';

/** One thing that the kernel tells of a packet that is traced (net/netfilter/nf_tables_trace.c). */
export interface TraceMessage {
  /** The same for all of one packet; later packets can have it, too. */
  readonly id: number;
  /** Of the table: `inet`, `ip` … */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly kind: 'rule' | 'return' | 'policy';
  /** Of the rule that matched; `null`: the end of a chain was reached. */
  readonly handle: number | null;
  /** In nft's words. */
  readonly verdict: string;
  /** Told with the first message of each base chain only, like the interfaces. */
  readonly ends: PacketEnds | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Of connection tracking, where the kernel tells (Linux 6.16) and knows by then. */
  readonly flow: { readonly id: number; readonly established: boolean } | null;
}

const KINDS: Readonly<Record<number, TraceMessage['kind']>> = { 1: 'policy', 2: 'return', 3: 'rule' };
/** linux/netfilter.h, and `enum nft_verdicts`. */
const VERDICTS: Readonly<Record<number, string>> = {
  0: 'drop',
  1: 'accept',
  2: 'stolen',
  3: 'queue',
  4: 'repeat',
  [-1]: 'continue',
  [-2]: 'break',
  [-3]: 'jump',
  [-4]: 'goto',
  [-5]: 'return',
};
const VERDICT_MASK = 0xff;
/** `NF_CT_STATE_BIT` of IP_CT_NEW (linux/netfilter/nf_conntrack_common.h). */
const NEW = 1 << 3;

/** `undefined`: it is about something else. `interfaceName`: of an interface's number. */
export function readTraceMessage(
  { type, body }: Message,
  interfaceName: (index: number) => string,
): TraceMessage | undefined {
  if (type !== nftMessageType(NFT_MSG.trace)) return undefined;
  const found = attributes(body.subarray(NFGENMSG));
  const number = (attribute: number) => found.get(attribute)?.readUInt32BE(0);
  const named = (attribute: number) => {
    const index = number(attribute);
    return index === undefined ? null : interfaceName(index);
  };
  return {
    id: number(TRACE.id) ?? 0,
    family: NFT_FAMILIES[body[0] ?? 0] ?? String(body[0]),
    table: textOf(found.get(TRACE.table)),
    chain: textOf(found.get(TRACE.chain)),
    kind: KINDS[number(TRACE.type) ?? 0] ?? 'rule',
    handle: readHandle(found.get(TRACE.handle)),
    verdict: readVerdict(found),
    ends: readEnds(found.get(TRACE.networkHeader), found.get(TRACE.transportHeader)),
    from: named(TRACE.incoming),
    to: named(TRACE.outgoing),
    flow: readFlowState(number(TRACE.flowId), number(TRACE.flowState)),
  };
}

function readHandle(value: Buffer | undefined): number | null {
  return value === undefined ? null : Number(value.readBigUInt64BE(0));
}

function readVerdict(found: ReadonlyMap<number, Buffer>): string {
  const policy = found.get(TRACE.policy);
  if (policy !== undefined) return verdictText(policy.readInt32BE(0));
  const verdict = attributes(found.get(TRACE.verdict) ?? Buffer.alloc(0));
  const text = verdictText(verdict.get(VERDICT.code)?.readInt32BE(0) ?? 0);
  const chain = textOf(verdict.get(VERDICT.chain));
  return chain === '' ? text : `${text} ${chain}`;
}

function verdictText(code: number): string {
  return VERDICTS[code < 0 ? code : code & VERDICT_MASK] ?? String(code);
}

function readFlowState(id: number | undefined, state: number | undefined): TraceMessage['flow'] {
  if (id === undefined || state === undefined) return null;
  return { id, established: (state & NEW) === 0 };
}

/** Both protocols have the ports first; `null`: the headers were not told, or are of something else. */
function readEnds(network: Buffer | undefined, transport: Buffer | undefined): PacketEnds | null {
  if (network === undefined || transport === undefined || transport.length < 4) return null;
  const addresses = readAddresses(network);
  if (addresses === null) return null;
  const [source = '', destination = ''] = addresses;
  return { source, sourcePort: transport.readUInt16BE(0), destination, destinationPort: transport.readUInt16BE(2) };
}

function readAddresses(header: Buffer): readonly string[] | null {
  const version = (header[0] ?? 0) >> 4;
  if (version === 4 && header.length >= 20) return [12, 16].map((at) => readAddress(header.subarray(at, at + 4)));
  if (version === 6 && header.length >= 40) return [8, 24].map((at) => readAddress(header.subarray(at, at + 16)));
  return null;
}

function readAddress(bytes: Buffer): string {
  return addressOf(bytes.length === 4 ? 4 : 6, BigInt(`0x${bytes.toString('hex')}`)).text;
}
