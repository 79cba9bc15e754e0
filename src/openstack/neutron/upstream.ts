import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { Readable } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import type { Header } from './end-to-end.ts';

export interface UpstreamCall {
  readonly method: string;
  /** With the query; comes behind the path of Neutron's own URL. */
  readonly path: string;
  /** All of them, and how the body is framed among them: none is added but Connection. */
  readonly headers: readonly Header[];
  readonly body: Readable | Buffer | null;
  /** Ends the call, also while its answer is read. */
  readonly signal?: AbortSignal;
}

/** The real Neutron, one connection for each call. */
export interface Upstream {
  /** As the operator has configured it. */
  readonly url: URL;
  /** Its answer, whatever that says, with a body to be read or destroyed. Error: `neutron_unavailable`. */
  send(call: UpstreamCall): Promise<IncomingMessage>;
  /** Ends the calls that are under way, and all that are still to come. */
  close(): void;
}

/** How long Neutron may be silent, in milliseconds; the second is shorter than our own clients wait at most. */
export interface UpstreamPatience {
  readonly connecting: number;
  readonly answering: number;
}

export interface ConnectionOptions {
  /** Authorities (PEM) that Neutron's certificate is checked against; `null`: those that Node brings along. */
  readonly ca?: string | null;
  readonly patience?: UpstreamPatience;
}

const PATIENCE: UpstreamPatience = { connecting: 5_000, answering: 100_000 };

/**
 * Connections are not kept: one that Neutron closes while it is taken up again would make of a request that may not be
 * repeated an error, and beside what Neutron takes for an answer a connection is nothing.
 */
export function createUpstream(url: URL, { ca = null, patience = PATIENCE }: ConnectionOptions = {}): Upstream {
  const secure = url.protocol === 'https:';
  const { hostname, port } = urlToHttpOptions(url);
  const closing = new AbortController();
  const prefix = url.pathname.replace(/\/+$/, '');

  function send({ method, path, headers, body, signal }: UpstreamCall): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const begin = secure ? requestSecurely : requestPlainly;
    const outgoing = begin({
      hostname,
      port,
      method,
      path: `${prefix}${path}`,
      headers: headers.flat(),
      agent: false,
      // As an option it counts from the start; `setTimeout` would begin when there is a connection.
      timeout: patience.connecting,
      ...(ca === null ? {} : { ca }),
      signal: signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]),
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('it is silent')));
    outgoing.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => outgoing.setTimeout(patience.answering));
    });
    outgoing.once('response', resolve);
    // Also behind the answer, where it has become that one's error.
    outgoing.on('error', (error) => reject(unavailable(url, error)));
    if (body === null || Buffer.isBuffer(body)) outgoing.end(body ?? undefined);
    else body.pipe(outgoing);
    return promise;
  }

  return { url, send, close: () => closing.abort() };
}

/** What is wrong with Neutron, so that nothing can be said about what it knows. */
export function unavailable({ origin }: URL, reason: unknown): Error {
  return hatobaError('neutron_unavailable', { value: origin, reason: reasonOf(reason) }, { cause: reason });
}
