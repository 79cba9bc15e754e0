import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { RouterId } from '../../model/router.ts';
import type { BatchOutcome, ForwardBatch, KeyedRequest, Registry } from '../../registry/registry.ts';
import { ADMIN, READ, WRITE } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import type { Waiting } from '../waiting.ts';
import { printBackup, printResult, readBackup, readBatch } from './apply-documents.ts';
import {
  type ApplyResult,
  ApplyResultSchema,
  ApplySchema,
  BackupSchema,
  FILE_LIMIT,
  RestoreQuery,
} from './apply-schemas.ts';
import { doOnce, IdempotencyHeaders, keyedRequest } from './idempotency.ts';
import { patience } from './patience.ts';
import { WaitQuery } from './schemas.ts';
import type { Patience } from './settling.ts';

const applySchema = {
  operationId: 'applyForwards',
  summary: 'Make many forwards what is wanted, all or none',
  tags: ['forwards'],
  querystring: WaitQuery,
  headers: IdempotencyHeaders,
  body: ApplySchema,
  response: { 200: ApplyResultSchema, ...problemResponses },
};
const backupSchema = {
  operationId: 'getBackup',
  summary: 'All forwards that the caller sees, with ids and times',
  tags: ['backup'],
  response: { 200: BackupSchema, ...problemResponses },
};
const restoreSchema = {
  operationId: 'restoreBackup',
  summary: 'Put the forwards of a backup back',
  tags: ['backup'],
  querystring: RestoreQuery,
  body: BackupSchema,
  response: { 200: ApplyResultSchema, ...problemResponses },
};

/** Many forwards at once: a file of wishes, or a backup. */
export function apply({ registryOf, waiting }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const applying = { schema: applySchema, bodyLimit: FILE_LIMIT, config: { access: WRITE } };
    api.post('/apply', applying, async (request, reply) => {
      const registry = registryOf(request.caller);
      const isDry = request.body.dry_run === true;
      const { result } = await doOnce(isDry ? undefined : keyedRequest('applyForwards', request), reply, {
        recall: (keyed) => registry.forwards.appliedBy(keyed),
        work: (keyed) => carryOut(registry, readBatch(request.body, registry), keyed),
      });
      return isDry
        ? printResult(result, registry, true, false)
        : untilTold(registry, waiting, result, patience(request, reply));
    });

    api.get('/backup', { schema: backupSchema, config: { access: READ } }, ({ caller }) => {
      const { forwards } = registryOf(caller);
      return printBackup(forwards.revision(), forwards.list());
    });

    const restoring = { schema: restoreSchema, bodyLimit: FILE_LIMIT, config: { access: ADMIN } };
    api.put('/backup', restoring, async (request, reply) => {
      const registry = registryOf(request.caller);
      const outcome = await carryOut(registry, readBackup(request.body, request.query.replace === 'true'));
      return untilTold(registry, waiting, outcome, patience(request, reply));
    });

    done();
  };
}

async function carryOut({ forwards }: Registry, batch: ForwardBatch, request?: KeyedRequest): Promise<BatchOutcome> {
  // With tens of thousands, each part takes a second; between them whoever else waits for the process has a turn.
  await setImmediate();
  const outcome = await forwards.apply(batch, request);
  await setImmediate();
  return outcome;
}

/** Tells the outcome when every node has it. */
export async function untilTold(
  registry: Registry,
  waiting: Waiting,
  outcome: BatchOutcome,
  patience: Patience,
): Promise<ApplyResult> {
  const touched = outcome.changes.flatMap(({ before, after }) => [before?.router ?? [], after?.router ?? []].flat());
  const applied = await untilApplied(registry, waiting, new Set(touched), outcome.revision, patience);
  return printResult(outcome, registry, false, applied);
}

/** Waits until every node has come to that revision with these routers, or cannot; whether all have. */
export async function untilApplied(
  { statuses }: Registry,
  waiting: Waiting,
  routers: ReadonlySet<RouterId>,
  revision: number,
  { seconds, signal }: Patience,
): Promise<boolean> {
  const behind = (router: RouterId) => statuses.of(router).filter((status) => status.revision < revision);
  const settled = (router: RouterId) => behind(router).every((status) => status.error !== null);
  const waits = Array.from(routers, (router) =>
    waiting.until({ router, seconds, signal, done: () => settled(router) }),
  );
  await Promise.all(waits);
  return Array.from(routers).every((router) => behind(router).length === 0);
}
