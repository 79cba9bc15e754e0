import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });

/** Whether the process answers at all; it looks at nothing else. */
export const health: FastifyPluginCallbackTypebox = (api, _options, done) => {
  api.get('/healthz', { schema: { response: { 200: HealthSchema } } }, () => ({ status: 'ok' as const }));
  done();
};
