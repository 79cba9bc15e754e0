import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { RouterStatus } from '../../model/status.ts';
import type { Statuses } from '../../registry/registry.ts';
import { READ_ALL } from '../access/access.ts';
import type { NodeInfo, RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { type NodeDocument, NodeListSchema } from './node-schemas.ts';

const schema = {
  operationId: 'listNodes',
  summary: 'List nodes',
  tags: ['nodes'],
  response: { 200: NodeListSchema, ...problemResponses },
};

/** Nodes are known by what they tell of their routers; the one that answers, anyhow. */
export function nodes({ registryOf, node }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/nodes', { schema, config: { access: READ_ALL } }, ({ caller }) => {
      const { forwards, statuses } = registryOf(caller);
      const told = statusesByNode(statuses);
      const names = [...new Set([node.name, ...told.keys()])].sort();
      const nodes = names.map((name) => printNode(name, told.get(name) ?? [], node));
      return { nodes, revision: forwards.revision() };
    });
    done();
  };
}

function statusesByNode(statuses: Statuses): ReadonlyMap<string, readonly RouterStatus[]> {
  const all = statuses.routers().flatMap((router) => statuses.of(router));
  return Map.groupBy(all, ({ node }) => node);
}

const UNKNOWN = { version: null, roles: null, driver: null, started_at: null } as const;

function printNode(name: string, statuses: readonly RouterStatus[], self: NodeInfo): NodeDocument {
  const { version, roles, driver, startedAt } = self;
  const answers = name === self.name;
  return {
    name,
    answers,
    ...(answers ? { version, roles, driver, started_at: startedAt } : UNKNOWN),
    routers: statuses.length,
    routers_in_error: statuses.filter(({ error }) => error !== null).length,
    problems: statuses.reduce((sum, { problems }) => sum + Object.keys(problems).length, 0),
    last_told: statuses.reduce<string | null>((last, { at }) => (last === null || at > last ? at : last), null),
  };
}
