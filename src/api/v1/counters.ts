import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import { printTime } from '../../model/time.ts';
import type { NodeCounters, RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { CounterListSchema, CounterQuery, type CountersDocument } from './counter-schemas.ts';
import { readRouter } from './router-lookup.ts';

const schema = { querystring: CounterQuery, response: { 200: CounterListSchema, ...problemResponses } };

/** What has gone through forwards of this node's routers; of others, nothing is known here. */
export function counters({ registry, node, counters: read }: RouteDeps): FastifyPluginCallbackTypebox {
  async function ofRouter(router: RouterId, forward: ForwardId | null): Promise<readonly CountersDocument[]> {
    return (await read(router, forward)).map((counted) => printCounters(counted, router, node.name));
  }

  return (api, _options, done) => {
    api.get('/counters', { schema }, async ({ query }) => {
      if (query.forward !== undefined) {
        const { id, router } = registry.forwards.find(query.forward);
        return { counters: await ofRouter(router, id) };
      }
      const routers = query.router === undefined ? registry.statuses.routers() : [readRouter(query.router)];
      return { counters: (await Promise.all(routers.map((router) => ofRouter(router, null)))).flat() };
    });
    done();
  };
}

function printCounters({ forward, connections, in: into, out, lastUsed }: NodeCounters, router: string, node: string) {
  return {
    forward,
    router,
    node,
    connections,
    packets_in: into?.packets ?? null,
    bytes_in: into?.bytes ?? null,
    packets_out: out?.packets ?? null,
    bytes_out: out?.bytes ?? null,
    last_used: lastUsed === null ? null : printTime(lastUsed),
  };
}
