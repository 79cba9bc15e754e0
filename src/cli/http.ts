import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiAnswer, ApiRequest, Transport } from '../client/transport.ts';
import { hatobaError, reasonOf } from '../model/errors.ts';

// `import 'node:http'` reads every export, some of which load undici at first touch: 35 ms more than this way.
const { request } = process.getBuiltinModule('node:http');
const { connect } = process.getBuiltinModule('node:net');

/** Exchanges over a Unix socket, on a connection each. `timeoutMs`: how long the server may be silent. */
export function socketTransport(socket: string, timeoutMs: number): Transport {
  // Without an agent: its check whether the host is an IP address compiles a regular expression for 6 ms.
  const createConnection = (): Socket => connect(socket);
  return {
    place: socket,
    exchange: (call) =>
      exchange(request, { createConnection }, call, timeoutMs).catch((error: unknown) => {
        throw unreachable(socket, error);
      }),
  };
}

type Send = (options: RequestOptions, answered: (incoming: IncomingMessage) => void) => ClientRequest;

/** One exchange; rejects with what Node says. */
export function exchange(send: Send, to: RequestOptions, call: ApiRequest, timeoutMs: number): Promise<ApiAnswer> {
  const { method, path, body } = call;
  const content =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
  const headers = { ...call.headers, ...content };
  const outgoing = send({ ...to, method, path, headers }, (incoming) => {
    read(incoming).then((text) => resolve({ status: incoming.statusCode ?? 0, body: text }), reject);
  });
  outgoing.on('error', reject);
  outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`it was silent for ${timeoutMs / 1000} s`)));
  outgoing.end(body);
  return promise;
}

async function read(incoming: IncomingMessage): Promise<string> {
  incoming.setEncoding('utf8');
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return text;
}

function unreachable(socket: string, error: unknown): Error {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return hatobaError('not_permitted', { reason: `the socket ${socket} may not be used` }, { cause: error });
  }
  const reason =
    code === 'ENOENT' ? 'there is no such socket' : code === 'ECONNREFUSED' ? 'nobody listens there' : reasonOf(error);
  return hatobaError('daemon_unreachable', { value: socket, reason }, { cause: error });
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
