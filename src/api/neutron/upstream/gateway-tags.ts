import type { FastifyPluginCallback } from 'fastify';
import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import { READ, WRITE } from '../../access/access.ts';
import type { NeutronDeps } from '../deps.ts';
import { inquire, namedGateway } from '../inquiry.ts';
import { type NeutronRequest, type NeutronRoute, parameter, urlOf } from '../serving.ts';
import { passOn } from './pass-on.ts';
import { untouched } from './passed-on.ts';

/**
 * Tags of gateways are those of their routers, so that they are kept where Neutron keeps all others. `floatingIp`: the path of
 * one. Errors: `FloatingIPNotFound`, and what Neutron says of the router.
 */
export function passOnTags(
  upstream: Upstream,
  deps: Pick<NeutronDeps, 'topology' | 'registryOf'>,
  floatingIp: string,
): FastifyPluginCallback {
  const tagsOfRouter = async (request: NeutronRequest): Promise<string> => {
    const { routerId } = await namedGateway(deps, inquire(deps, request), request);
    const tag = parameter(request, 'tag');
    const { search } = urlOf(request);
    const query = search.size === 0 ? '' : `?${String(search)}`;
    return `/v2.0/routers/${routerId}/tags${tag === '' ? '' : `/${encodeURIComponent(tag)}`}${query}`;
  };
  return untouched((routes) => {
    for (const url of [`${floatingIp}/tags`, `${floatingIp}/tags/:tag`]) {
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        routes.route<NeutronRoute>({
          method,
          url,
          exposeHeadRoute: false,
          config: {
            access: method === 'GET' ? READ : WRITE,
            rule: `${method === 'GET' ? 'get' : 'update'}_floatingip`,
          },
          handler: async (request, reply) => passOn(upstream, request, reply, { path: await tagsOfRouter(request) }),
        });
      }
    }
  });
}
