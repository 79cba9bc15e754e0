import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { forwardStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import type { NodeInfo, RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { type StatusDocument, StatusSchema } from './status-schemas.ts';

const schema = { response: { 200: StatusSchema, ...problemResponses } };

export function status({ registry, node }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/status', { schema }, () => printStatus(registry, node));
    done();
  };
}

function printStatus(registry: Registry, node: NodeInfo): StatusDocument {
  return {
    version: node.version,
    node: node.name,
    roles: node.roles,
    started_at: node.startedAt,
    store: node.store,
    driver: node.driver,
    revision: registry.forwards.revision(),
    routers: registry.statuses.routers().length,
    forwards: countStates(registry),
  };
}

function countStates({ forwards, statuses }: Registry): StatusDocument['forwards'] {
  const counts = { total: 0, active: 0, pending: 0, waiting: 0, disabled: 0, expired: 0, error: 0 };
  const now = printTime(Date.now());
  for (const forward of forwards.list()) {
    counts.total++;
    counts[forwardStatus(forward, statuses.of(forward.router), now).state]++;
  }
  return counts;
}
