import type { Address } from './address.ts';
import type { Protocol } from './protocol.ts';

/** Packets that are waited for. */
export interface WatchedFlow {
  readonly protocol: Protocol;
  readonly source: Address;
  /** `null`: any. */
  readonly sourcePort: number | null;
  readonly destination: Address;
  readonly port: number;
}

/** Between whom a packet goes, at some point of its way. */
export interface PacketEnds {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** A chain that begins with the kernel, as nft says it: `nat`, `prerouting`, -110. */
export interface BaseChain {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
}

/** One thing that was decided about a packet on its way. */
export interface KernelStep {
  /** Family and name: `inet hatoba`. */
  readonly table: string;
  readonly chain: string;
  /** `null`: it was jumped to. */
  readonly base: BaseChain | null;
  /** Of the rule that matched; `null`: none decided, so what is told is the policy of the chain. */
  readonly handle: number | null;
  /** The rule as nft prints it; `null`: there is none, or it was gone before it could be read. */
  readonly rule: string | null;
  /** `accept`, `drop`, `continue`, `jump …`, `goto …`, `return`, `queue` or `stolen`. */
  readonly verdict: string;
  /** Whether the table or the chain is ours. */
  readonly ours: boolean;
}

/**
 * `forwarded`: it left by an interface; `delivered`: to the router itself; `dropped`: by the last step; `lost`: nothing
 * more was seen of it, so what is no chain took it: routing, a filter for reversed paths, a queue.
 */
export const PACKET_OUTCOMES = ['forwarded', 'delivered', 'dropped', 'lost'] as const;
export type PacketOutcome = (typeof PACKET_OUTCOMES)[number];

/** The way of one packet through a router, as the kernel told it. */
export interface KernelWay {
  /** As it came. */
  readonly arrived: PacketEnds;
  /** The interface by which it came; `null`: it came from the router itself. */
  readonly from: string | null;
  readonly steps: readonly KernelStep[];
  readonly outcome: PacketOutcome;
  /** As it left, or was delivered; `null`: it was not. */
  readonly left: PacketEnds | null;
  /** The interface by which it left. */
  readonly to: string | null;
}

/** What a kernel did with a packet that was waited for. */
export interface Observation {
  /** Where, in the data plane's words; on Linux, the name of the network namespace. */
  readonly instance: string;
  readonly way: KernelWay;
  /** Whether connection tracking knew its flow already and led it as it had begun, asking no nat chain. */
  readonly knownFlow: boolean;
  /** `null`: none was seen. */
  readonly reply: KernelWay | null;
  /** Tables of iptables-legacy there, of whose rules the kernel tells nothing. */
  readonly legacyTables: readonly string[];
}
