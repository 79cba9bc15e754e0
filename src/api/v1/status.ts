import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { forwardStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import { READ_ALL } from '../access/access.ts';
import type { NodeInfo, RouteDeps } from '../deps.ts';
import type { RouterUsage } from '../local-node.ts';
import { problemResponses } from '../problem.ts';
import { type StatusDocument, StatusSchema } from './status-schemas.ts';

const schema = {
  operationId: 'getStatus',
  summary: 'How the daemon stands',
  tags: ['daemon'],
  response: { 200: StatusSchema, ...problemResponses },
};

/** Of a long list, the rest says little that these do not. */
const MOST_ERRORS = 5;

export function status({ registryOf, node, localOf, storeTrouble }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/status', { schema, config: { access: READ_ALL } }, async ({ caller }) => {
      const [usage, trouble] = await Promise.all([localOf(caller).flowUsage(), storeTrouble()]);
      return { ...printStatus(registryOf(caller), node, usage), store_trouble: trouble };
    });
    done();
  };
}

function printStatus(
  registry: Registry,
  node: NodeInfo,
  usage: readonly RouterUsage[],
): Omit<StatusDocument, 'store_trouble'> {
  return {
    version: node.version,
    node: node.name,
    roles: node.roles,
    started_at: node.startedAt,
    store: node.store,
    driver: node.driver,
    revision: registry.forwards.revision(),
    listing_revision: registry.listingRevision(),
    routers: registry.statuses.routers().length,
    ...judgeForwards(registry),
    orphaned: countOrphaned(registry),
    routers_in_error: listRoutersInError(registry),
    connection_tracking: sumUsage(usage),
  };
}

function judgeForwards({
  forwards,
  statuses,
}: Registry): Pick<StatusDocument, 'forwards' | 'forwards_with_warnings' | 'forwards_in_error'> {
  const counts = { total: 0, active: 0, pending: 0, waiting: 0, disabled: 0, expired: 0, error: 0 };
  let warned = 0;
  const inError: StatusDocument['forwards_in_error'][number][] = [];
  const now = printTime(Date.now());
  for (const forward of forwards.list()) {
    const { id, name, router } = forward;
    const known = statuses.of(router);
    const { state, message, warnings } = forwardStatus(forward, known, now);
    counts.total++;
    if (warnings.length > 0) warned++;
    counts[state]++;
    if (state !== 'error' || inError.length >= MOST_ERRORS) continue;
    if (known.every(({ error }) => error === null || error !== message)) inError.push({ id, name, router, message });
  }
  return { forwards: counts, forwards_with_warnings: warned, forwards_in_error: inError };
}

function countOrphaned({ statuses }: Registry): StatusDocument['orphaned'] {
  const counts = statuses
    .routers()
    .map((router) => Math.max(...statuses.of(router).map(({ orphaned = 0 }) => orphaned)))
    .filter((count) => count > 0);
  return { forwards: counts.reduce((sum, count) => sum + count, 0), routers: counts.length };
}

function listRoutersInError({ statuses }: Registry): StatusDocument['routers_in_error'] {
  return statuses
    .routers()
    .flatMap((router) => statuses.of(router))
    .flatMap(({ router, node, error }) => (error === null ? [] : [{ router, node, message: error }]))
    .slice(0, MOST_ERRORS);
}

function sumUsage(usage: readonly RouterUsage[]): StatusDocument['connection_tracking'] {
  const [fullest] = usage.toSorted((a, b) => b.entries - a.entries);
  if (fullest === undefined) return null;
  const { router, entries, limit } = fullest;
  return { entries: usage.reduce((sum, { entries: own }) => sum + own, 0), limit, fullest: { router, entries } };
}
