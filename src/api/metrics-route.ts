import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { READ_ALL } from './access/access.ts';
import type { Metrics } from './metrics/metrics.ts';
import { problemResponses } from './problem.ts';

const schema = {
  operationId: 'getMetrics',
  summary: 'Figures in the form of Prometheus',
  tags: ['daemon'],
  produces: ['text/plain'],
  response: { 200: Type.String(), ...problemResponses },
};

export function metricsRoute(metrics: Metrics): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/metrics', { schema, config: { access: READ_ALL } }, async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.print();
    });
    done();
  };
}
