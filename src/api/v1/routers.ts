import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { hatobaError } from '../../model/errors.ts';
import { parseRouterId, type RouterId } from '../../model/router.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { countForwards, printRouter } from './router-documents.ts';
import { RouterListSchema, RouterParams, RouterSchema } from './router-schemas.ts';

const listSchema = { response: { 200: RouterListSchema, ...problemResponses } };
const showSchema = { params: RouterParams, response: { 200: RouterSchema, ...problemResponses } };

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

/** By id, namespace name, or unique beginning of an id. Errors: `router_malformed`, `router_not_found`, `router_ambiguous`. */
function findRouter(reference: string, known: readonly RouterId[]): RouterId {
  const exact = parseRouterId(reference);
  if (known.includes(exact)) return exact;
  const [found, ...others] = known.filter((id) => id.startsWith(reference));
  if (found === undefined) throw hatobaError('router_not_found', { value: reference });
  if (others.length > 0) throw hatobaError('router_ambiguous', { value: reference, count: others.length + 1 });
  return found;
}
