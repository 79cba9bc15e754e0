import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { type Caller, callerKey } from '../../model/caller.ts';
import { HatobaError } from '../../model/errors.ts';
import type { KeyedRequest } from '../../registry/registry.ts';
import { requestMalformed } from '../validation.ts';

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'a text of your own: the same request with the same key is carried out once' }),
  ),
});

interface Request {
  readonly caller: Caller;
  readonly headers: { readonly 'idempotency-key'?: string };
  readonly body: unknown;
}

/** The request with its key; undefined: it has none. `operation`: what it asks for. Error: `request_malformed`. */
export function keyedRequest(operation: string, { caller, headers, body }: Request): KeyedRequest | undefined {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  // A string of RFC 8941 stands in quotes; without them most people write it.
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw requestMalformed('idempotency-key must have 1 to 255 printable characters', 'idempotency-key');
  }
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([operation, body]))
    .digest('base64url');
  return { caller: callerKey(caller), key, fingerprint };
}

interface Work<Result> {
  /** What the request did when it came first; null: it did nothing yet. */
  readonly recall: (request: KeyedRequest) => Promise<Result | null>;
  /** Error: `request_repeated` where it came at the same time, too, and was first. */
  readonly work: (request: KeyedRequest | undefined) => Promise<Result>;
}

interface Done<Result> {
  readonly result: Result;
  /** Whether it was done when the request came first, and not now. */
  readonly isReplay: boolean;
}

/** Does the work once, however often the request comes. Where it was done before, a header of the answer says so. */
export async function doOnce<Result>(
  request: KeyedRequest | undefined,
  reply: FastifyReply,
  { recall, work }: Work<Result>,
): Promise<Done<Result>> {
  if (request === undefined) return { result: await work(undefined), isReplay: false };
  const known = await recall(request);
  if (known !== null) return replay(reply, known);
  try {
    return { result: await work(request), isReplay: false };
  } catch (error) {
    const first = error instanceof HatobaError && error.code === 'request_repeated' ? await recall(request) : null;
    if (first === null) throw error;
    return replay(reply, first);
  }
}

function replay<Result>(reply: FastifyReply, result: Result): Done<Result> {
  reply.header('idempotency-replayed', 'true');
  return { result, isReplay: true };
}
