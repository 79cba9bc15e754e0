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
      const { forwards, statuses } = registryOf(caller);
      const counts = countForwards(statuses.routers(), forwards.list());
      return { routers: [...counts].map(([id, count]) => printRouter(id, count, statuses.of(id))) };
    });

    api.get('/routers/:reference', { schema: showSchema, config: { access: READ } }, ({ caller, params }) => {
      const { forwards, statuses } = registryOf(caller);
      const known = [...countForwards(statuses.routers(), forwards.list()).keys()];
      const id = findRouter(params.reference, known);
      return printRouter(id, forwards.ofRouter(id).size, statuses.of(id));
    });

    done();
  };
}
