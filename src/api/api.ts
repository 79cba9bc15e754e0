import { createServer, type RequestListener, type Server } from 'node:http';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Caller } from '../model/caller.ts';
import { reasonOf } from '../model/errors.ts';
import { parseGrants } from '../model/grants.ts';
import { scopeRegistry } from '../registry/tenants/scoped.ts';
import { limitBodies } from './access/body-limits.ts';
import { guardRoutes } from './access/guard.ts';
import { scopeLocalNode } from './access/scoped-local-node.ts';
import { createAnswerBudget } from './answers/answer-budget.ts';
import { createAnswers } from './answers/answers.ts';
import { limitLongAnswers } from './answers/long-answers.ts';
import { auditChanges } from './audit.ts';
import type { ApiDeps, RouteDeps } from './deps.ts';
import { createEventStreams } from './event-streams.ts';
import { health } from './health.ts';
import { answerBrokenRequest } from './listen/broken-request.ts';
import { trackConnections } from './listen/connection-draining.ts';
import { inTurns } from './listen/in-turns.ts';
import { KEEP_ALIVE, limitClients, SERVER_OPTIONS, STALL } from './listen/limits.ts';
import { oneAtATime } from './listen/one-at-a-time.ts';
import { NO_ROUTERS } from './local-node.ts';
import { createMetrics } from './metrics/metrics.ts';
import { metricsRoute } from './metrics-route.ts';
import { sendFault } from './neutron/fault-answers.ts';
import { neutronVersions, standaloneNeutron } from './neutron/neutron.ts';
import { behindPrefix, isNeutrons, originForm, routedUrl } from './neutron/paths.ts';
import { upstreamNeutron, upstreamVersions } from './neutron/upstream/upstream-neutron.ts';
import { openapi } from './openapi.ts';
import { answerWithProblems, sendError } from './problem.ts';
import { routeNameOf } from './route-name.ts';
import { shareLocalNode } from './shared-local-node.ts';
import { adopt } from './v1/adopt.ts';
import { apply } from './v1/apply.ts';
import { counters } from './v1/counters.ts';
import { diagnosis } from './v1/diagnosis.ts';
import { events } from './v1/events.ts';
import { forwards } from './v1/forwards.ts';
import { nodes } from './v1/nodes.ts';
import { recover } from './v1/recover.ts';
import { routers } from './v1/routers.ts';
import { status } from './v1/status.ts';
import { tokens } from './v1/tokens.ts';
import { trace } from './v1/trace.ts';
import { compileValidator } from './validation.ts';
import { createWaiting } from './waiting.ts';

/** One forward with every option is far smaller; routes that take more say so themselves. */
const BODY_LIMIT = 64 * 1024;

/** The server of the unix socket. */
function createSocketServer(handler: RequestListener): Server {
  const server = createServer(SERVER_OPTIONS, oneAtATime(inTurns(handler)));
  server.keepAliveTimeout = KEEP_ALIVE;
  server.setTimeout(STALL);
  return server;
}

/** The HTTP API over a registry, not yet listening. Its `close` answers the requests that wait at that moment. */
export function createApi(given: ApiDeps): FastifyInstance {
  const { registry, grants = parseGrants([]), node, neutron = {}, log, verifyStore = async () => undefined } = given;
  const local = shareLocalNode(given.local ?? NO_ROUTERS);
  const streams = createEventStreams();
  const storeTrouble = () => verifyStore().then(() => null, reasonOf);
  const metrics = createMetrics({ ...given, local, streams, storeTrouble });
  const waiting = createWaiting(registry);
  const api = fastify({
    ...(log === false ? {} : { loggerInstance: log }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    serverFactory: createSocketServer,
    return503OnClosing: false,
    rewriteUrl: ({ url = '/' }) => routedUrl(behindPrefix(originForm(url), neutron.upstream?.upstream.prefix ?? '')),
    routerOptions: { maxParamLength: 255 },
    frameworkErrors: (error, request, reply) =>
      (isNeutrons(request.url) ? sendFault : sendError)(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  });
  limitClients(api.server, given.mostConnections);
  const connections = trackConnections(api.server);
  api.removeContentTypeParser('text/plain');
  api.setValidatorCompiler(compileValidator);
  answerWithProblems(api);
  const asking = guardRoutes(api, given.authenticate, given.admit);
  limitBodies(api, asking);
  const answers = createAnswers(createAnswerBudget(given.answerLimits));
  limitLongAnswers(api, answers, asking);
  const audit = auditChanges(api, asking);
  const registryOf = (caller: Caller) => audit.registry(caller, scopeRegistry(registry, caller, grants));
  const localOf = (caller: Caller) => audit.local(caller, scopeLocalNode(local, caller, registryOf(caller)));
  const deps: RouteDeps = { registryOf, node, localOf, storeTrouble, waiting, streams, answers };
  api.addHook('preClose', (done) => {
    waiting.end();
    connections.begin();
    done();
  });
  api.addHook('onResponse', (request, reply, done) => {
    const [route, seconds] = [routeNameOf(request) ?? 'none', reply.elapsedTime / 1000];
    metrics.countRequest({ method: request.method, route, status: String(reply.statusCode), seconds });
    done();
  });
  api.register(health(given));
  api.register(metricsRoute(metrics));
  api.register(openapi);
  api.register(forwards(deps), { prefix: '/v1' });
  api.register(apply(deps), { prefix: '/v1' });
  api.register(adopt(deps), { prefix: '/v1' });
  api.register(recover(deps), { prefix: '/v1' });
  api.register(routers(deps), { prefix: '/v1' });
  api.register(nodes(deps), { prefix: '/v1' });
  api.register(counters(deps), { prefix: '/v1' });
  api.register(events(deps), { prefix: '/v1' });
  api.register(status(deps), { prefix: '/v1' });
  api.register(
    tokens((caller) => audit.tokens(caller, registry.tokens)),
    { prefix: '/v1' },
  );
  api.register(trace(deps), { prefix: '/v1' });
  api.register(diagnosis(deps), { prefix: '/v1' });
  if (neutron.upstream === undefined) {
    api.register(neutronVersions);
    api.register(standaloneNeutron(deps, neutron), { prefix: '/v2.0' });
  } else {
    api.register(upstreamVersions(neutron.upstream));
    api.register(upstreamNeutron({ ...deps, registry }, neutron.upstream, neutron), { prefix: '/v2.0' });
  }
  return api;
}
