import { type Interval, type Intervals, intersect, subtract } from '../../../interchange/intervals.ts';
import type { Address, Family } from '../../../model/address.ts';
import type { Protocol } from '../../../model/protocol.ts';

/** A packet's mark, as far as it is known: the bits in `known` are those of `value`. */
export interface Mark {
  readonly value: number;
  readonly known: number;
}

/** A packet of a forward between its way in and its way out; `null`: not known, or any. */
export interface PassingPacket {
  /** From the client to the target, as the first of its connection; or back, as an answer. */
  readonly direction: 'request' | 'reply';
  readonly family: Family;
  readonly protocol: Protocol;
  /** All addresses that it may be. */
  readonly source: Intervals;
  readonly sourcePort: number | null;
  readonly destination: Intervals;
  readonly destinationPort: number | null;
  /** The interface that it comes in by. */
  readonly from: string | null;
  readonly to: string | null;
  /** Where the client sends its packets to. */
  readonly asked: { readonly address: Address; readonly port: number };
  readonly mark: Mark;
}

/** What every packet begins with. */
export const NO_MARK: Mark = Object.freeze({ value: 0, known: 0xffff_ffff });

/** With some bits set to what they are in `value`; `bits`: all that may be changed. */
export function setBits({ value, known }: Mark, bits: number, wanted: number): Mark {
  return { value: ((value & ~bits) | (wanted & bits)) >>> 0, known: (known | bits) >>> 0 };
}

/** With some bits set to nobody knows what. */
export function forgetBits({ value, known }: Mark, bits: number): Mark {
  return { value, known: (known & ~bits) >>> 0 };
}

/** What is known of it where it may be either. */
export function eitherMark(a: Mark, b: Mark): Mark {
  return { value: a.value, known: (a.known & b.known & ~(a.value ^ b.value)) >>> 0 };
}

/** Whether these bits of it are those of `value`. */
export function markIs(mark: Mark, value: number, bits: number): Truth {
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

/** Whether one of them holds; of none, no. */
export function some(truths: readonly Truth[]): Truth {
  return not(every(truths.map(not)));
}
