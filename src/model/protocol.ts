import { hatobaError } from './errors.ts';

/** Transport protocols with ports, and their numbers (IANA protocol numbers). */
export const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, sctp: 132, dccp: 33, udplite: 136 } as const;

export type Protocol = keyof typeof PROTOCOL_NUMBERS;

const NAMES: ReadonlyMap<number, Protocol> = new Map(
  Object.keys(PROTOCOL_NUMBERS)
    .filter(isProtocol)
    .map((name) => [PROTOCOL_NUMBERS[name], name]),
);

/** `null`: none of ours has this number. */
export function protocolOfNumber(number: number): Protocol | null {
  return NAMES.get(number) ?? null;
}

export function isProtocol(text: string): text is Protocol {
  return Object.hasOwn(PROTOCOL_NUMBERS, text);
}

export function parseProtocol(text: string): Protocol {
  if (!isProtocol(text)) throw hatobaError('protocol_unknown', { value: text });
  return text;
}
