import { Readable } from 'node:stream';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { hatobaError } from '../../model/errors.ts';
import type { Asking } from './guard.ts';

/** Some thousands of forwards: what all projects send at once has to fit into memory, and nobody should wait for one of them. */
const PROJECT_LIMIT = 1024 * 1024;

/**
 * Lets callers of one project send less than others, where much may be sent. To be called when the guard's hook is there.
 * Error: `body_too_large`.
 */
export function limitBodies(api: FastifyInstance, { callerOf }: Pick<Asking, 'callerOf'>): void {
  api.addHook('preParsing', async (request, reply, payload) => {
    const { bodyLimit } = request.routeOptions;
    if (callerOf(request)?.allProjects !== false || bodyLimit <= PROJECT_LIMIT) return payload;
    const length = request.headers['content-length'];
    if (length === undefined) return Readable.from(within(payload), { objectMode: false });
    if (Number(length) <= PROJECT_LIMIT) return payload;
    // What is still to come is not waited for.
    reply.header('connection', 'close');
    throw tooLarge();
  });
}

async function* within(payload: RequestPayload): AsyncGenerator<Buffer, void> {
  let length = 0;
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
    const part = Buffer.from(chunk);
    length += part.length;
    if (length > PROJECT_LIMIT) throw tooLarge();
    yield part;
  }
}

function tooLarge() {
  return hatobaError('body_too_large', { limit: PROJECT_LIMIT });
}
