import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { READ } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { countForwards, printRouter } from './router-documents.ts';
import { findRouter } from './router-lookup.ts';
import { RouterListSchema, RouterParams, RouterSchema } from './router-schemas.ts';

const listSchema = {
  operationId: 'listRouters',
  summary: 'List routers',
  tags: ['routers'],
  response: { 200: RouterListSchema, ...problemResponses },
};
const showSchema = {
  operationId: 'getRouter',
  summary: 'Show a router',
  tags: ['routers'],
  params: RouterParams,
  response: { 200: RouterSchema, ...problemResponses },
};

export function routers({ registryOf }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/routers', { schema: listSchema, config: { access: READ } }, ({ caller }) => {
      const registry = registryOf(caller);
      const counts = countForwards(registry);
      const routers = [...counts].map(([id, count]) => printRouter(id, count, registry.statuses.of(id)));
      return { routers, revision: registry.forwards.revision() };
    });

    api.get('/routers/:reference', { schema: showSchema, config: { access: READ } }, ({ caller, params }) => {
      const registry = registryOf(caller);
      const counts = countForwards(registry);
      const id = findRouter(params.reference, [...counts.keys()]);
      return printRouter(id, counts.get(id) ?? 0, registry.statuses.of(id));
    });

    done();
  };
}
