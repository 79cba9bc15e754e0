import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { HatobaError, hatobaError, reasonOf } from '../model/errors.ts';
import type { ApiDeps } from './deps.ts';
import { problemResponses } from './problem.ts';

const closed = { additionalProperties: false } as const;
const HealthSchema = Type.Object({ status: Type.Literal('ok') }, closed);
const ReadinessSchema = Type.Object({ status: Type.Literal('ready') }, closed);

const healthSchema = {
  operationId: 'getHealth',
  summary: 'Whether the daemon answers',
  tags: ['daemon'],
  response: { 200: HealthSchema },
};
const readinessSchema = {
  operationId: 'getReadiness',
  summary: 'Whether the daemon can do its work',
  tags: ['daemon'],
  response: { 200: ReadinessSchema, ...problemResponses },
};

/** In ms; whoever asks has a patience of seconds. */
const LONGEST = 2_000;

/** `/healthz`: whether the process answers at all, it looks at nothing else. `/readyz`: whether it can do its work. */
export function health({ ready = async () => undefined }: Pick<ApiDeps, 'ready'>): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    // Anybody may ask, so all who wait share one answer.
    let asked: Promise<void> | null = null;

    api.get('/healthz', { schema: healthSchema, config: { access: 'public' } }, () => ({ status: 'ok' as const }));

    api.get('/readyz', { schema: readinessSchema, config: { access: 'public' } }, async () => {
      asked ??= inTime(ready()).finally(() => {
        asked = null;
      });
      await asked;
      return { status: 'ready' as const };
    });

    done();
  };
}

/** Error: `not_ready`. */
async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing answers for ${LONGEST} ms`)), LONGEST);
  });
  try {
    await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'not_ready') throw error;
    throw hatobaError('not_ready', { reason: reasonOf(error) }, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
