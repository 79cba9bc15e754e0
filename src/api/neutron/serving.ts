import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Access, READ, WRITE } from '../access/access.ts';
import { malformedBody, parseBody } from './envelope.ts';
import { badRequest, NeutronFault } from './faults.ts';
import type { ListUrl } from './listing.ts';
import { originForm } from './paths.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What Neutron's policies call the operation. */
    rule?: string;
  }
}

type Verb = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Those that a client could try. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export interface NeutronRoute {
  Params: Readonly<Record<string, string>>;
}

export type NeutronRequest = FastifyRequest<NeutronRoute>;

export interface Operation {
  readonly access: Access;
  readonly rule?: string;
  /** Bytes. */
  readonly bodyLimit?: number;
  readonly handler: (request: NeutronRequest, reply: FastifyReply) => unknown;
}

type Operations = { readonly [verb in Verb]?: Operation };

/** Serves just these operations there; every other method is one that Neutron does not have there. */
export function serve(api: FastifyInstance, url: string, operations: Operations): void {
  const served = new Map<string, Operation>(Object.entries(operations));
  for (const method of METHODS) {
    const operation = served.get(method) ?? { access: method === 'HEAD' ? READ : WRITE, handler: refuseMethod };
    const { access, rule, bodyLimit, handler } = operation;
    api.route<NeutronRoute>({
      method,
      url,
      exposeHeadRoute: false,
      prefixTrailingSlash: 'slash',
      config: { access, ...(rule === undefined ? {} : { rule }) },
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
      handler: async (request, reply) => handler(request, reply),
    });
  }
}

function refuseMethod(): never {
  throw new NeutronFault(
    'HTTPMethodNotAllowed',
    'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  );
}

/** JSON is read as Neutron reads it; anything else is no body that it understands. */
export function readBodies(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  const asText = { parseAs: 'string' } as const;
  api.addContentTypeParser('application/json', asText, async (_request: unknown, text: string) => parseBody(text));
  api.addContentTypeParser('*', asText, async (_request: unknown, text: string) => {
    if (text !== '') throw malformedBody();
  });
}

export function refuseBody({ body }: NeutronRequest): void {
  if (body !== undefined && body !== null) throw badRequest('Request body is not supported in DELETE.');
}

/** Of the path. */
export function parameter({ params }: NeutronRequest, name: string): string {
  return params[name] ?? '';
}

/** As the client wrote it. */
export function urlOf({ protocol, host, originalUrl }: NeutronRequest): ListUrl {
  const [path = '', ...search] = originForm(originalUrl).split('?');
  return { base: `${protocol}://${host}${path}`, search: new URLSearchParams(search.join('?')) };
}
