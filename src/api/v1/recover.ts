import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { conflict } from '../../model/conflicts.ts';
import { type ForwardSpec, GATEWAY } from '../../model/forward.ts';
import type { Orphan } from '../../model/orphan.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import type { Registry } from '../../registry/registry.ts';
import { knownGateways } from '../../registry/statuses/statuses.ts';
import { ADMIN } from '../access/access.ts';
import type { NodeInfo, RouteDeps } from '../deps.ts';
import type { LocalNode } from '../local-node.ts';
import { problemResponses } from '../problem.ts';
import type { Waiting } from '../waiting.ts';
import { printChange } from './apply-documents.ts';
import { patience } from './patience.ts';
import {
  CleanupResultSchema,
  CleanupSchema,
  type RecoverRequest,
  type RecoverResult,
  RecoverResultSchema,
  RecoverSchema,
} from './recover-schemas.ts';
import { findRouter } from './router-lookup.ts';
import { WaitQuery } from './schemas.ts';
import { type Patience, untilApplied } from './settling.ts';

const recoverSchema = {
  operationId: 'recoverForwards',
  summary: 'Make forwards of what the kernel has and the store does not know',
  tags: ['forwards'],
  querystring: WaitQuery,
  body: RecoverSchema,
  response: { 200: RecoverResultSchema, ...problemResponses },
};
const cleanupSchema = {
  operationId: 'cleanUp',
  summary: 'Take out of the kernel what the store does not know',
  tags: ['forwards'],
  body: CleanupSchema,
  response: { 200: CleanupResultSchema, ...problemResponses },
};

/** By which an operator says what is meant where the store was lost: keep what is in the kernel, or not. */
export function recover({ registryOf, localOf, node, waiting }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.post('/recover', { schema: recoverSchema, config: { access: ADMIN } }, async (request, reply) => {
      const { caller, body } = request;
      const deps = { registry: registryOf(caller), local: localOf(caller), node, waiting };
      return recoverForwards(deps, body, patience(request, reply));
    });

    api.post('/cleanup', { schema: cleanupSchema, config: { access: ADMIN } }, async ({ caller, body }) => {
      const router = routerOf(body.router, registryOf(caller), node);
      const removed = await localOf(caller).orphans.discard(router);
      const routers = Map.groupBy(removed, ({ spec }) => spec.router);
      return {
        node: node.name,
        removed: Array.from(routers, ([id, orphans]) => ({ router: id, forwards: orphans.length })),
      };
    });

    done();
  };
}

interface RecoverDeps {
  readonly registry: Registry;
  readonly local: LocalNode;
  readonly node: NodeInfo;
  readonly waiting: Waiting;
}

/** Those that a stored forward is in the way of are left. */
async function recoverForwards(
  { registry, local, node, waiting }: RecoverDeps,
  { router, dry_run: dryRun = false }: RecoverRequest,
  patience: Patience,
): Promise<RecoverResult> {
  const orphans = await local.orphans.list(routerOf(router, registry, node));
  const judged = orphans.map((orphan) => ({ orphan, obstacle: obstacleTo(orphan, registry) }));
  const wanted = judged
    .filter(({ obstacle }) => obstacle === null)
    .map(({ orphan: { id, spec } }) => ({
      id,
      spec: followGateway(spec, gatewaysOf(spec.router, registry)),
      times: null,
    }));
  const outcome = await registry.forwards.apply({
    wanted,
    prunes: () => false,
    dryRun,
    kind: 'apply',
    intoEmpty: false,
  });
  const routers = new Set(wanted.map(({ spec }) => spec.router));
  if (!dryRun) await untilApplied(registry, waiting, routers, outcome.revision, patience);
  return {
    node: node.name,
    dry_run: dryRun,
    revision: outcome.revision,
    changes: outcome.changes.map((change) => printChange(change, registry, dryRun)),
    left: judged.flatMap(({ orphan: { id, spec }, obstacle }) =>
      obstacle === null ? [] : [{ id, router: spec.router, reason: obstacle }],
    ),
  };
}

function obstacleTo({ spec }: Orphan, registry: Registry): string | null {
  const gateways = gatewaysOf(spec.router, registry);
  const other = registry.forwards.near(spec).find((forward) => conflict(forward, spec, gateways));
  return other === undefined ? null : `the forward ${other.name ?? other.id} is stored with these ports`;
}

/** The kernel has addresses only: the one that the gateway has now is most likely to be meant as that. */
function followGateway(spec: ForwardSpec, gateways: Gateways): ForwardSpec {
  const { externalAddress, internalAddress } = spec;
  const isGateway = externalAddress !== GATEWAY && externalAddress.text === gateways[internalAddress.family]?.text;
  return isGateway ? { ...spec, externalAddress: GATEWAY } : spec;
}

function gatewaysOf(router: RouterId, { statuses }: Registry): Gateways {
  return knownGateways(statuses.of(router));
}

/** `null`: all. Errors: those of `findRouter`. */
function routerOf(reference: string | undefined, { statuses }: Registry, node: NodeInfo): RouterId | null {
  if (reference === undefined) return null;
  return findRouter(
    reference,
    statuses.ofNode(node.name).map(({ router }) => router),
  );
}
