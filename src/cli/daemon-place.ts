import { hatobaError } from '../model/errors.ts';
import { absolute, type CliContext } from './context.ts';

/** Of every command that speaks to the daemon. */
export interface DaemonFlags {
  readonly socket?: string;
  readonly url?: string;
}

/** Where the daemon is, and what it is to be told and shown there. */
export type DaemonPlace =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'url';
      /** http or https; its path stands before those of the API. */
      readonly url: URL;
      readonly token: string | undefined;
      /** Whom to believe that a server is who it says, in place of those the system believes. */
      readonly caFile: string | undefined;
    };

const DEFAULT_SOCKET = '/run/hatoba/hatoba.sock';

/** By the flags, else by HATOBA_URL or HATOBA_SOCKET, else the default socket. Error: `usage_malformed`. */
export function placeOfDaemon(context: CliContext, flags: DaemonFlags): DaemonPlace {
  const { socket, url } = flags;
  if (socket !== undefined && url !== undefined) throw malformed('--socket and --url exclude each other');
  if (socket !== undefined) return { kind: 'socket', path: absolute(context, socket) };
  const { HATOBA_SOCKET: envSocket, HATOBA_URL: envUrl } = context.env;
  if (url !== undefined) return placeOfUrl(context, '--url', url);
  if (envSocket && envUrl) throw malformed('HATOBA_SOCKET and HATOBA_URL exclude each other: name one by a flag');
  if (envUrl) return placeOfUrl(context, 'HATOBA_URL', envUrl);
  return { kind: 'socket', path: absolute(context, envSocket || DEFAULT_SOCKET) };
}

/** Whether a token goes there that others could read on the way. */
export function showsToken(place: DaemonPlace): boolean {
  if (place.kind === 'socket' || place.token === undefined) return false;
  const { protocol, hostname } = place.url;
  // As URLs have it, an IPv4 address has four parts in decimal, and no name looks like one.
  return protocol === 'http:' && !/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

function placeOfUrl(context: CliContext, word: string, text: string): DaemonPlace {
  const { HATOBA_TOKEN: token, HATOBA_CA_FILE: caFile } = context.env;
  // What a header cannot hold; the token itself is nothing to be printed.
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token)) {
    throw malformed('HATOBA_TOKEN has characters that are in no token, a line break perhaps');
  }
  return {
    kind: 'url',
    url: parseUrl(word, text),
    token: token || undefined,
    caFile: caFile ? absolute(context, caFile) : undefined,
  };
}

function parseUrl(word: string, text: string): URL {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username + url.password + url.search + url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol)) return url;
  throw malformed(`${word}: ${text || '""'} is not http://HOST:PORT or https://HOST:PORT`);
}

function malformed(reason: string): Error {
  return hatobaError('usage_malformed', { reason });
}
