import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
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

export function routers({ registry: { forwards, statuses } }: RouteDeps): FastifyPluginCallbackTypebox {
  const counts = () => countForwards(statuses.routers(), forwards.list());

  return (api, _options, done) => {
    api.get('/routers', { schema: listSchema }, () => ({
      routers: [...counts()].map(([id, count]) => printRouter(id, count, statuses.of(id))),
    }));

    api.get('/routers/:reference', { schema: showSchema }, ({ params: { reference } }) => {
      const id = findRouter(reference, [...counts().keys()]);
      return printRouter(id, forwards.ofRouter(id).size, statuses.of(id));
    });

    done();
  };
}
