import { isIP, isIPv6 } from 'node:net';
import { hatobaError } from '../../model/errors.ts';

/** Where to listen. */
export interface TcpAddress {
  /** An IP address, or `localhost`. */
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
}

/** Reads `ADDR:PORT`, with IPv6 in brackets. Error: `listen_malformed`. */
export function parseTcpAddress(text: string): TcpAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [bracketed, plain] = [match?.[1], match?.[2]];
  const [host, port] = [bracketed ?? plain ?? '', Number(match?.[3])];
  const isHost = bracketed === undefined ? isIP(host) === 4 || host === 'localhost' : isIPv6(host);
  if (!isHost || port > 65_535) throw hatobaError('listen_malformed', { value: text });
  return Object.freeze({ host, port });
}

/** The inverse of `parseTcpAddress`. */
export function printTcpAddress({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
