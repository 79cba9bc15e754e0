import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { BatchOutcome, ForwardBatch, KeyedRequest, Registry } from '../../registry/registry.ts';
import { ADMIN, READ, WRITE } from '../access/access.ts';
import { streamable } from '../answers/answers.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { answerBackup, answerResult } from './apply-answer.ts';
import { readBackup, readBatch } from './apply-documents.ts';
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
  response: { 200: streamable(ApplyResultSchema), ...problemResponses },
};
const backupSchema = {
  operationId: 'getBackup',
  summary: 'All forwards that the caller sees, with ids and times',
  tags: ['backup'],
  response: { 200: streamable(BackupSchema), ...problemResponses },
};
const restoreSchema = {
  operationId: 'restoreBackup',
  summary: 'Put the forwards of a backup back',
  tags: ['backup'],
  querystring: RestoreQuery,
  body: BackupSchema,
  response: { 200: streamable(ApplyResultSchema), ...problemResponses },
};

/** Many forwards at once: a file of wishes, or a backup. */
export function apply({ registryOf, waiting, answers }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const applying = { schema: applySchema, bodyLimit: FILE_LIMIT, config: { access: WRITE } };
    api.post('/apply', applying, async (request, reply) => {
      const registry = registryOf(request.caller);
      const isDry = request.body.dry_run === true;
      await answers.reserve(request, reply, request.body.forwards.length);
      const { result } = await doOnce(isDry ? undefined : keyedRequest('applyForwards', request), reply, {
        recall: (keyed) => registry.forwards.appliedBy(keyed),
        work: (keyed) => carryOut(registry, readBatch(request.body, registry), keyed),
      });
      const told = isDry
        ? { outcome: result, dryRun: true, applied: false }
        : await untilTold(registry, waiting, result, patience(request, reply));
      return answerResult({ answers, registry, request, reply }, told);
    });

    api.get('/backup', { schema: backupSchema, config: { access: READ } }, async (request, reply) =>
      answerBackup({ answers, registry: registryOf(request.caller), request, reply }),
    );

    const restoring = { schema: restoreSchema, bodyLimit: FILE_LIMIT, config: { access: ADMIN } };
    api.put('/backup', restoring, async (request, reply) => {
      const registry = registryOf(request.caller);
      await answers.reserve(request, reply, request.body.forwards.length);
      const outcome = await carryOut(registry, readBackup(request.body, request.query.replace === 'true'));
      const told = await untilTold(registry, waiting, outcome, patience(request, reply));
      return answerResult({ answers, registry, request, reply }, told);
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
