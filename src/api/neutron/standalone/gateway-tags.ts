import type { FastifyInstance } from 'fastify';
import { READ, WRITE } from '../../access/access.ts';
import type { NeutronDeps } from '../deps.ts';
import type { Document } from '../documents.ts';
import { FLOATING_IP } from '../floating-ips.ts';
import { notToBeChanged } from '../gateway-changes.ts';
import { inquire, namedGateway } from '../inquiry.ts';
import { type NeutronRequest, serve } from '../serving.ts';

/** Tags of gateways, of which there are none without a Neutron: they can be read, and replaced by none. */
export function serveGatewayTags(api: FastifyInstance, deps: NeutronDeps): void {
  const tagsOf = async (request: NeutronRequest): Promise<Document> => {
    const { tags } = await namedGateway(deps, inquire(deps, request), request);
    return { tags };
  };
  serve(api, `${FLOATING_IP}/tags`, {
    GET: { access: READ, handler: tagsOf },
    PUT: {
      access: WRITE,
      rule: 'update_floatingip',
      handler: async (request) => {
        const present = await tagsOf(request);
        if (JSON.stringify(request.body) !== JSON.stringify(present)) throw notToBeChanged();
        return present;
      },
    },
    DELETE: {
      access: WRITE,
      rule: 'update_floatingip',
      handler: async (request, reply) => {
        await tagsOf(request);
        reply.code(204);
      },
    },
  });
}
