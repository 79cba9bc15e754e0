import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { endToEnd, type Header } from '../../../openstack/neutron/end-to-end.ts';
import type { Upstream, UpstreamCall } from '../../../openstack/neutron/upstream.ts';
import { signalOfClient } from '../../v1/patience.ts';
import { behindPrefix, originForm } from '../paths.ts';
import { isForUs } from './own-secrets.ts';

/** What is done between Neutron's answer and its delivery; it does not read the body. */
export type Consequence = (answer: IncomingMessage) => Promise<void>;

export interface PassingOn {
  /** The request's body where it has been read already; otherwise it is read as it comes. */
  readonly body?: Buffer;
  readonly consequence?: Consequence;
  /** With the query; what Neutron is asked for in place of what the client has asked for. */
  readonly path?: string;
}

/**
 * Has Neutron answer this request, and hands on its answer as it is, as it comes. A client that goes away ends the call;
 * an answer that breaks off ends the client's connection. Error, before anything was answered: `neutron_unavailable`.
 */
export async function passOn(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
  { body, consequence, path }: PassingOn = {},
): Promise<FastifyReply> {
  const gone = signalOfClient(reply);
  const call = callOf(upstream, request, body);
  const answer = await answerOf(upstream, { ...call, ...(path === undefined ? {} : { path }), signal: gone });
  reply.hijack();
  if (answer === null) return reply;
  try {
    await consequence?.(answer);
  } catch (error) {
    request.log.error({ err: error }, 'what follows from an answer of Neutron has not been done');
  }
  reply.raw.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders).flat());
  pipeline(answer, reply.raw, (error) => {
    if (error && !gone.aborted) request.log.warn({ err: error }, 'an answer of Neutron broke off');
  });
  return reply;
}

/** `null`: nobody waits for it any more. */
async function answerOf(
  upstream: Upstream,
  call: UpstreamCall & { readonly signal: AbortSignal },
): Promise<IncomingMessage | null> {
  try {
    return await upstream.send(call);
  } catch (error) {
    if (call.signal.aborted) return null;
    throw error;
  }
}

function callOf({ prefix }: Upstream, request: FastifyRequest, body: Buffer | undefined): Omit<UpstreamCall, 'signal'> {
  const { raw } = request;
  const kept = endToEnd(raw.rawHeaders).filter((header) => !isReplaced(header[0]) && !isForUs(header));
  const headers = [...kept, ...forwardedBy(request)];
  const call = { method: raw.method ?? 'GET', path: behindPrefix(originForm(request.originalUrl), prefix) };
  if (raw.headers['transfer-encoding'] !== undefined && body === undefined) {
    return { ...call, headers: [...headers, ['Transfer-Encoding', 'chunked']], body: raw };
  }
  const length = body?.length ?? raw.headers['content-length'];
  if (length === undefined) return { ...call, headers: [...headers, ...withoutBody(call.method)], body: null };
  return { ...call, headers: [...headers, ['Content-Length', String(length)]], body: body ?? raw };
}

/** Told anew by us; what Expect asks for, Node has answered. */
function isReplaced(name: string): boolean {
  return ['content-length', 'expect', 'x-forwarded-for'].includes(name.toLowerCase());
}

/** Else Node would frame an empty body in chunks. */
function withoutBody(method: string): readonly Header[] {
  return ['POST', 'PUT', 'PATCH'].includes(method) ? [['Content-Length', '0']] : [];
}

/** Host stays what the client has written, of which Neutron makes the links in its answers, so that they lead to us. */
function forwardedBy({ headers, protocol, socket }: FastifyRequest): readonly Header[] {
  const before = [headers['x-forwarded-for'] ?? []].flat();
  const chain = [...before, socket.remoteAddress ?? []].flat().join(', ');
  return [
    ...(chain === '' ? [] : [['X-Forwarded-For', chain] as const]),
    ...(headers['x-forwarded-proto'] === undefined ? [['X-Forwarded-Proto', protocol] as const] : []),
  ];
}
