import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { hatobaError, reasonOf } from '../model/errors.ts';

// `import 'node:http'` reads every export, some of which load undici at first touch: 35 ms more than this way.
const { request } = process.getBuiltinModule('node:http');
const { connect } = process.getBuiltinModule('node:net');

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server may be silent. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** One exchange over a Unix socket. Errors: `daemon_unreachable`, `not_permitted`. */
export function exchange(socket: string, call: HttpCall): Promise<HttpAnswer> {
  const { method, path, timeoutMs } = call;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const content =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const fail = (error: Error): void => reject(unreachable(socket, error));
  const headers = { ...call.headers, ...content };
  // Without an agent: its check whether the host is an IP address compiles a regular expression for 6 ms.
  const createConnection = (): Socket => connect(socket);
  const outgoing = request({ createConnection, method, path, headers }, (incoming) => {
    read(incoming).then((text) => resolve({ status: incoming.statusCode ?? 0, body: text }), fail);
  });
  outgoing.on('error', fail);
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

function unreachable(socket: string, error: Error): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    return hatobaError('not_permitted', { reason: `the socket ${socket} may not be used` }, { cause: error });
  }
  const reason =
    code === 'ENOENT' ? 'there is no such socket' : code === 'ECONNREFUSED' ? 'nobody listens there' : reasonOf(error);
  return hatobaError('daemon_unreachable', { value: socket, reason }, { cause: error });
}
