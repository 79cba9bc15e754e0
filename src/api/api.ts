import fastify, { type FastifyInstance, LogController } from 'fastify';
import { answerBrokenRequest } from './broken-request.ts';

import type { ApiDeps, RouteDeps } from './deps.ts';

import { health } from './health.ts';
import { NO_ROUTERS } from './local-node.ts';
import { createMetrics } from './metrics/metrics.ts';
import { metricsRoute } from './metrics-route.ts';
import { openapi } from './openapi.ts';
import { answerWithProblems, sendError } from './problem.ts';
import { closeSlowClients } from './slow-clients.ts';
import { adopt } from './v1/adopt.ts';
import { apply } from './v1/apply.ts';
import { counters } from './v1/counters.ts';
import { diagnosis } from './v1/diagnosis.ts';
import { events } from './v1/events.ts';
import { forwards } from './v1/forwards.ts';
import { routers } from './v1/routers.ts';
import { status } from './v1/status.ts';
import { trace } from './v1/trace.ts';
import { compileValidator } from './validation.ts';
import { createWaiting } from './waiting.ts';

/** One forward with every option is far smaller; routes that take more say so themselves. */
const BODY_LIMIT = 64 * 1024;

/** Idle connections are closed by Node after the first, slow ones after the second time. */
const KEEP_ALIVE = 30_000;
const DELIVERY = 60_000;

/** A connection on which nothing moves, though an answer is under way; longer than the longest `wait`. */
const STALL = 120_000;

/**
 * More are closed at once: clients must not take the descriptors that the kernel room needs.
 */
const MOST_CONNECTIONS = 512;

/** The longest that setInterval knows: about 25 days. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

/** The HTTP API over a registry, not yet listening. Its `close` answers the requests that wait at that moment. */
export function createApi(given: ApiDeps): FastifyInstance {
  const { registry, node, local = NO_ROUTERS, log } = given;
  const metrics = createMetrics({ ...given, local });
  const waiting = createWaiting(registry);
  const deps: RouteDeps = { registry, node, local, waiting };
  const api = fastify({
    ...(log === false ? {} : { loggerInstance: log }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE,
    connectionTimeout: STALL,
    // Node's periodic check of slow clients; see closeSlowClients.
    http: { connectionsCheckingInterval: LONGEST_INTERVAL },
    return503OnClosing: false,
    routerOptions: { maxParamLength: 255 },
    frameworkErrors: sendError,
    clientErrorHandler: answerBrokenRequest,
  });
  api.server.maxConnections = MOST_CONNECTIONS;
  closeSlowClients(api.server, DELIVERY);
  api.removeContentTypeParser('text/plain');
  api.setValidatorCompiler(compileValidator);
  answerWithProblems(api);
  api.addHook('preClose', (done) => {
    waiting.end();
    done();
  });
  api.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const [route, seconds] = [routeOptions.url ?? 'none', reply.elapsedTime / 1000];
    metrics.countRequest({ method, route, status: String(reply.statusCode), seconds });
    done();
  });
  api.register(health(given));
  api.register(metricsRoute(metrics));
  api.register(openapi);
  api.register(forwards(deps), { prefix: '/v1' });
  api.register(apply(deps), { prefix: '/v1' });
  api.register(adopt(deps), { prefix: '/v1' });
  api.register(routers(deps), { prefix: '/v1' });
  api.register(counters(deps), { prefix: '/v1' });
  api.register(events(deps), { prefix: '/v1' });
  api.register(status(deps), { prefix: '/v1' });
  api.register(trace(deps), { prefix: '/v1' });
  api.register(diagnosis(deps), { prefix: '/v1' });
  return api;
}
