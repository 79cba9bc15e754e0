import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { BatchOutcome, ForwardBatch, KeyedRequest, Registry } from '../../registry/registry.ts';
import { ADMIN, READ, WRITE } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { printBackup, printResult, readBackup, readBatch } from './apply-documents.ts';
import { ApplyResultSchema, ApplySchema, BackupSchema, FILE_LIMIT, RestoreQuery } from './apply-schemas.ts';
import { doOnce, IdempotencyHeaders, keyedRequest } from './idempotency.ts';
import { patience } from './patience.ts';
import { WaitQuery } from './schemas.ts';
import { untilTold } from './settling.ts';

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
