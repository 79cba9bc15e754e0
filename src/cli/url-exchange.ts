import type { RequestOptions } from 'node:http';
import type { ApiAnswer, ApiRequest } from '../client/transport.ts';
import { hatobaError, reasonOf } from '../model/errors.ts';
import type { DaemonPlace } from './daemon-place.ts';
import { codeOf, exchange } from './http.ts';

type UrlPlace = Extract<DaemonPlace, { readonly kind: 'url' }>;

/** One exchange by TCP. `name`: the URL in messages. Errors: `daemon_unreachable`, `certificate_untrusted`, `file_unreadable`. */
export async function exchangeByUrl(
  place: UrlPlace,
  name: string,
  call: ApiRequest,
  timeoutMs: number,
): Promise<ApiAnswer> {
  const { url, token } = place;
  const to: RequestOptions = {
    // In brackets, as URLs have IPv6, nobody knows the address.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port === '' ? {} : { port: url.port }),
    agent: false,
    // That of the request begins with the connection.
    timeout: timeoutMs,
  };
  const headers = { ...call.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const request = { ...call, path: `${url.pathname.replace(/\/+$/, '')}${call.path}`, headers };
  const isSecure = url.protocol === 'https:';
  const { request: send } = isSecure ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  const options = isSecure ? { ...to, ca: await authorities(place.caFile) } : to;
  try {
    return await exchange(send, options, request, timeoutMs);
  } catch (error) {
    throw unreachable(name, error);
  }
}

/** Those of the file, or else those that Node and the system believe. */
async function authorities(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) {
    const { getCACertificates } = process.getBuiltinModule('node:tls');
    return [...getCACertificates('default'), ...getCACertificates('system')];
  }
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  try {
    return [await readFile(file, 'utf8')];
  } catch (error) {
    throw hatobaError('file_unreadable', { file, reason: reasonOf(error) }, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no such host',
  EPROTO: 'what answers there does not speak TLS',
};

function unreachable(value: string, error: unknown): Error {
  const code = String(codeOf(error));
  // OpenSSL's names of what is wrong with a certificate, and Node's for one of another host.
  if (/CERT|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)|^INVALID_(?:CA|PURPOSE)$/.test(code)) {
    // Behind the semicolon Node advises on its own flags.
    const [reason = ''] = reasonOf(error).split(';');
    return hatobaError('certificate_untrusted', { value, reason }, { cause: error });
  }
  return hatobaError('daemon_unreachable', { value, reason: REASONS[code] ?? reasonOf(error) }, { cause: error });
}
