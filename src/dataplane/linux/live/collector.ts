import type { TraceMessage } from '../../../kernel/nft/nft-trace.ts';
import { LAST, MARKING } from './watch-table.ts';

/** What the kernel told of one packet. */
export interface TracedPacket {
  readonly messages: readonly TraceMessage[];
  /** Whether no more is to come: it has reached the end of its way, or was taken out of it. */
  readonly isComplete: boolean;
  /** Whether it was dropped, or taken out by something that may put it back later. */
  readonly isTaken: boolean;
}

/** Picks out what the kernel tells of the first packet that was waited for, and of the first answer to it. */
export interface Collector {
  take(message: TraceMessage): void;
  /** `null`: it has not come yet. */
  request(): TracedPacket | null;
  reply(): TracedPacket | null;
}

const ENDINGS = new Set(['drop', 'stolen', 'queue']);

/** `table`: that of `printWatchTable`, which is told about, too. */
export function createCollector(table: string): Collector {
  let request: TracedPacket | null = null;
  let reply: TracedPacket | null = null;
  return { take, request: () => request, reply: () => reply };

  function take(message: TraceMessage): void {
    if (marks(message, MARKING.request)) {
      if (request === null) request = begin(message);
      // Another packet can have the same number, which is made from where it is in memory.
      else if (isAbout(request, message)) request = { ...request, isComplete: true };
      return;
    }
    if (marks(message, MARKING.reply)) {
      if (reply === null && request !== null && answers(message, request)) reply = begin(message);
      else if (isAbout(reply, message)) reply = reply && { ...reply, isComplete: true };
      return;
    }
    if (isAbout(reply, message)) reply = extend(reply, message);
    else if (isAbout(request, message)) request = extend(request, message);
  }

  function marks({ table: name, chain, handle }: TraceMessage, chains: readonly string[]): boolean {
    return name === table && handle !== null && chains.includes(chain);
  }

  function begin(message: TraceMessage): TracedPacket {
    return { messages: [message], isComplete: false, isTaken: false };
  }

  function extend(packet: TracedPacket | null, message: TraceMessage): TracedPacket | null {
    if (packet === null) return null;
    const isLast = message.table === table && (message.chain === LAST.forwarded || message.chain === LAST.delivered);
    const isTaken = ENDINGS.has(message.verdict);
    return { messages: [...packet.messages, message], isComplete: isLast || isTaken, isTaken };
  }
}

function isAbout(packet: TracedPacket | null, { id }: TraceMessage): boolean {
  return packet !== null && !packet.isComplete && packet.messages[0]?.id === id;
}

/** Of the same flow, where the kernel tells; else of the same client's port, unless that was translated as well. */
function answers({ flow, ends }: TraceMessage, { messages }: TracedPacket): boolean {
  const known = messages.find((message) => message.flow !== null)?.flow;
  if (known && flow) return known.id === flow.id;
  const [first, last] = [messages[0]?.ends, messages.findLast((message) => message.ends !== null)?.ends];
  return last?.source !== first?.source || ends?.destinationPort === last?.sourcePort;
}
