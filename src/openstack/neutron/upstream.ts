import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import type { Readable } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { hatobaError } from '../../model/errors.ts';
import { createAvailability } from './availability.ts';
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
  /** The path of that URL, which Neutron writes into its links, too; without a slash at its end. */
  readonly prefix: string;
  /** Its answer, whatever that says, with a body to be read or destroyed. Error: `neutron_unavailable`. */
  send(call: UpstreamCall): Promise<IncomingMessage>;
  /**
   * The error `neutron_unavailable`, of which the operator hears. `reason` is told to anybody who asks, so it names no
   * address; `cause` is for the log.
   */
  unavailable(reason: string, cause?: unknown): Error;
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
  /** Hears when Neutron is no longer there, with the reason, and when it is again (`null`). */
  readonly onAvailability?: (trouble: unknown) => void;
}

const PATIENCE: UpstreamPatience = { connecting: 5_000, answering: 100_000 };

/**
 * Connections are not kept: one that Neutron closes while it is taken up again would make of a request that may not be
 * repeated an error, and beside what Neutron takes for an answer a connection is nothing.
 */
export function createUpstream(
  url: URL,
  { ca = null, patience = PATIENCE, onAvailability = () => {} }: ConnectionOptions = {},
): Upstream {
  const availability = createAvailability(onAvailability);
  const secure = url.protocol === 'https:';
  const { hostname, port } = urlToHttpOptions(url);
  const closing = new AbortController();
  const prefix = url.pathname.replace(/\/+$/, '');

  function send({ method, path, headers, body, signal }: UpstreamCall): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const ended = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
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
      signal: ended,
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('it is silent')));
    outgoing.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => outgoing.setTimeout(patience.answering));
    });
    outgoing.once('response', (answer) => {
      availability.worked();
      resolve(answer);
    });
    // Also behind the answer, where it has become that one's error.
    outgoing.on('error', (error) =>
      reject(ended.aborted ? refusal('nobody waits', error) : unavailable(troubleOf(error), error)),
    );
    if (body === null || Buffer.isBuffer(body)) outgoing.end(body ?? undefined);
    else body.pipe(outgoing);
    return promise;
  }

  function unavailable(reason: string, cause: unknown = reason): Error {
    const error = refusal(reason, cause);
    availability.failed(error);
    return error;
  }

  return { url, prefix, send, unavailable, close: () => closing.abort() };
}

function refusal(reason: string, cause: unknown): Error {
  return hatobaError('neutron_unavailable', { reason }, { cause });
}

/** The words of Node have the address among them, its codes do not. */
function troubleOf(error: Error): string {
  return 'code' in error ? `the connection has failed (${String(error.code)})` : error.message;
}
