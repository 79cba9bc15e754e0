import type { FastifyReply } from 'fastify';
import { DEFAULT_WAIT } from './schemas.ts';
import type { Patience } from './settling.ts';

interface WaitingRequest {
  readonly query: { readonly wait?: number };
}

/** How long the request waits for the kernel, and until when there is anybody who waits. */
export function patience({ query }: WaitingRequest, reply: FastifyReply): Patience {
  return { seconds: query.wait ?? DEFAULT_WAIT, signal: signalOfClient(reply) };
}

/**
 * Aborted when the client has gone, or was answered. Fastify's `request.signal` is silent about one that goes once its body
 * has been read; the response is not.
 */
export function signalOfClient({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController();
  // It is told once, perhaps while it was being found out who asks.
  if (raw.closed || raw.destroyed) gone.abort();
  else raw.once('close', () => gone.abort());
  return gone.signal;
}

interface Closing {
  addHook(name: 'preClose', hook: (done: () => void) => void): unknown;
}

/** Aborted when the API begins to close, which waits for every request that is under way. */
export function signalOfClosing(api: Closing): AbortSignal {
  const closing = new AbortController();
  api.addHook('preClose', (done) => {
    closing.abort();
    done();
  });
  return closing.signal;
}
