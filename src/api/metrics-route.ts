import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Metrics } from './metrics/metrics.ts';
import { problemResponses } from './problem.ts';

const schema = { response: { 200: Type.String(), ...problemResponses } };

export function metricsRoute(metrics: Metrics): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/metrics', { schema }, async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.print();
    });
    done();
  };
}
