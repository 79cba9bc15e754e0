import { hatobaError } from '../model/errors.ts';

/** The address and port of `ADDR:PORT` as they were written, unread; null: left out. */
export interface Endpoint {
  readonly address: string | null;
  readonly port: string | null;
}

export interface InternalEndpoint extends Endpoint {
  readonly address: string;
}

/** Splits `PORT`, `ADDR:PORT` or `[ADDR]:PORT`. Error: `usage_malformed`. */
export function splitExternal(text: string): Endpoint {
  return text.includes(':') || text.startsWith('[') ? split(text) : { address: null, port: text };
}

/** Splits `ADDR`, `ADDR:PORT` or `[ADDR]:PORT`. Error: `usage_malformed`. */
export function splitInternal(text: string): InternalEndpoint {
  return split(text);
}

function split(text: string): InternalEndpoint {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:[\]]*))?$/.exec(text);
  if (match === null) throw malformed(text);
  return { address: match[1] ?? match[2] ?? '', port: match[3] ?? null };
}

/** `2001:db8::1:80` may mean a port or not, so it is refused and not guessed. */
function malformed(text: string): Error {
  const reason = `${text} is not ADDRESS:PORT; IPv6 addresses stand in brackets: [2001:db8::1]:80`;
  return hatobaError('usage_malformed', { reason });
}
