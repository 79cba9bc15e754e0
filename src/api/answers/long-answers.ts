import type { FastifyInstance } from 'fastify';
import { callerKey } from '../../model/caller.ts';
import type { Asking } from '../access/guard.ts';
import { signalOfClient } from '../v1/patience.ts';
import type { Answers } from './answers.ts';

/** In bytes; shorter answers are free: each connection has one at a time. */
const LONG = 64 * 1024;

/**
 * Counts answers that were made in one piece against the memory for answers until they have been sent, and refuses those
 * to requests that change nothing where they are too many. To be called when the guard's hook is there. Error:
 * `answers_exhausted`.
 */
export function limitLongAnswers(api: FastifyInstance, answers: Answers, { callerOf }: Pick<Asking, 'callerOf'>): void {
  api.addHook('onSend', async (request, reply, payload: unknown) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
    if (payload.length <= LONG || request.method !== 'GET') return payload;
    const caller = callerOf(request);
    const release = answers.takeNow(caller === undefined ? 'public' : callerKey(caller), payload.length);
    const signal = signalOfClient(reply);
    if (signal.aborted) release();
    else signal.addEventListener('abort', release, { once: true });
    return payload;
  });
}
