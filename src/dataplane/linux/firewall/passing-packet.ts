import { type Interval, type Intervals, intersect, subtract } from '../../../interchange/intervals.ts';
import type { Address, Family } from '../../../model/address.ts';
import type { Protocol } from '../../../model/protocol.ts';
import { type Bits, bitsOf } from './bits.ts';

/** What connection tracking has attached to a packet. */
export interface Connection {
  /** `new`: the packet is the first of its flow. */
  readonly state: 'new' | 'established';
  /** Whether the destination of the flow has been translated by the time the packet comes here; likewise its source. */
  readonly dnat: Truth;
  readonly snat: Truth;
  readonly mark: Bits;
}

/** A packet of a forward's flow, as one hook of the router sees it. */
export interface PassingPacket {
  /** From the client to the target, or back. */
  readonly direction: 'request' | 'reply';
  readonly family: Family;
  readonly protocol: Protocol;
  /** All addresses that it may have; `null` as a port: one that a client has chosen. */
  readonly source: Intervals;
  readonly sourcePort: number | null;
  readonly destination: Intervals;
  readonly destinationPort: number | null;
  /** The interface that it comes in by; empty: there is none at this hook; `null`: not known. */
  readonly from: string | null;
  /** The interface that it leaves by, likewise. */
  readonly to: string | null;
  /** Where the client sends its packets to. */
  readonly asked: { readonly address: Address; readonly port: number };
  /** Of the TCP header (RFC 9293, section 3.1). */
  readonly tcpFlags: Bits;
  /** `skb->mark`. */
  readonly mark: Bits;
  /** `null`: the hook comes before connection tracking. */
  readonly connection: Connection | null;
}

/** What every packet and every flow begins with. */
export const NO_MARK: Bits = Object.freeze(bitsOf(0));

/** Whether these bits of `mark` are those of `value`. */
export function bitsAre(mark: Bits, value: number, bits = 0xffff_ffff): Truth {
  if (((mark.value ^ value) & mark.known & bits) !== 0) return 'no';
  return (bits & ~mark.known) === 0 ? 'yes' : 'maybe';
}

/** Whether something holds, as far as it can be told. */
export type Truth = 'yes' | 'no' | 'maybe';

export type Condition = (packet: PassingPacket) => Truth;

export function truthOf(holds: boolean): Truth {
  return holds ? 'yes' : 'no';
}

export function not(truth: Truth): Truth {
  return truth === 'maybe' ? 'maybe' : truthOf(truth === 'no');
}

/** Whether all of them hold; of none, yes. */
export function every(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) return 'no';
  return truths.includes('maybe') ? 'maybe' : 'yes';
}

/** Whether one of them holds; of none, no. */
export function some(truths: readonly Truth[]): Truth {
  return not(every(truths.map(not)));
}

/** Demands all of them, and asks no further than the first that does not hold. */
export function all(conditions: readonly Condition[]): Condition {
  return (packet) => {
    let found: Truth = 'yes';
    for (const condition of conditions) {
      const truth = condition(packet);
      if (truth === 'no') return 'no';
      if (truth === 'maybe') found = 'maybe';
    }
    return found;
  };
}

/** Whether what is one of `possible` is one of `wanted`. */
export function isAmong(possible: Intervals, wanted: Intervals): Truth {
  if (intersect(possible, wanted).length === 0) return 'no';
  return subtract(possible, wanted).length === 0 ? 'yes' : 'maybe';
}

/** The one number, as intervals. */
export function exactly(value: bigint): readonly [Interval] {
  return [{ first: value, last: value }];
}
