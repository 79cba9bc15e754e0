import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import { printTime } from '../../model/time.ts';
import { READ } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import type { LocalNode, NodeCounters } from '../local-node.ts';
import { problemResponses } from '../problem.ts';
import { CounterListSchema, CounterQuery, type CountersDocument } from './counter-schemas.ts';
import { readRouter } from './router-lookup.ts';

const schema = {
  operationId: 'getCounters',
  summary: 'What has gone through forwards',
  tags: ['counters'],
  querystring: CounterQuery,
  response: { 200: CounterListSchema, ...problemResponses },
};

/** What has gone through forwards of this node's routers; of others, nothing is known here. */
export function counters({ registryOf, node, localOf }: RouteDeps): FastifyPluginCallbackTypebox {
  async function ofRouter(
    local: LocalNode,
    router: RouterId,
    forward: ForwardId | null,
    withLive: boolean,
  ): Promise<readonly CountersDocument[]> {
    const counted = (await local.counters(router, forward)).map((counters) =>
      printCounters(counters, router, node.name),
    );
    if (!withLive) return counted;
    const flows = await local.liveFlows(router, forward);
    return counted.map((document) => ({ ...document, live: flows.get(document.forward) ?? 0 }));
  }

  return (api, _options, done) => {
    api.get('/counters', { schema, config: { access: READ } }, async ({ caller, query }) => {
      const [registry, local] = [registryOf(caller), localOf(caller)];
      const withLive = query.live === 'true';
      if (query.forward !== undefined) {
        const { id, router } = registry.forwards.find(query.forward);
        return { counters: await ofRouter(local, router, id, withLive) };
      }
      const routers = query.router === undefined ? registry.statuses.routers() : [readRouter(query.router)];
      const documents: CountersDocument[] = [];
      // One after the other, so that the node can do other things for its routers in between.
      for (const router of routers)
        for (const each of await ofRouter(local, router, null, withLive)) documents.push(each);
      return { counters: documents };
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
    live: null,
  };
}
