import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { parseAddress } from '../../model/address.ts';
import { hatobaError, inFieldOf } from '../../model/errors.ts';
import { parseSinglePort } from '../../model/port-range.ts';
import { parseProtocol } from '../../model/protocol.ts';
import type { RouterId } from '../../model/router.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import { knownGateways } from '../../registry/statuses/statuses.ts';
import { READ, READ_ALL } from '../access/access.ts';
import { requireAccess } from '../access/guard.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { requestMalformed } from '../validation.ts';
import { DEFAULT_TIMEOUT } from './live-trace-schemas.ts';
import { signalOfClient, signalOfClosing } from './patience.ts';
import { countForwards } from './router-documents.ts';
import { chooseRouter } from './router-lookup.ts';
import { type Flow, type TracedView, traceFlow } from './trace-documents.ts';
import { type TraceRequest, TraceRequestSchema, TraceSchema } from './trace-schemas.ts';

const schema = {
  operationId: 'tracePacket',
  summary: 'What a router does to a packet, and why',
  tags: ['trace'],
  body: TraceRequestSchema,
  response: { 200: TraceSchema, ...problemResponses },
};

export function trace({ registryOf, node, localOf }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const closing = signalOfClosing(api);

    api.post('/trace', { schema, config: { access: READ } }, async ({ caller, body }, reply) => {
      const registry = registryOf(caller);
      const flow = readFlow(body);
      const router = inFieldOf('router', () =>
        chooseRouter(body.router, registry.statuses.routers(), [...countForwards(registry).keys()]),
      );
      const seconds = readTimeout(body);
      if (seconds === null) return traceFlow(viewOf(router, registry), flow, null);
      // The kernel tells of all rules in the router, whoever made them.
      requireAccess(caller, READ_ALL);
      const signal = AbortSignal.any([closing, signalOfClient(reply)]);
      const { packet, sourcePort } = flow;
      const observation = await localOf(caller).observe(router, { ...packet, sourcePort }, { seconds, signal });
      if (observation === null && closing.aborted) throw hatobaError('daemon_stopping', { seconds });
      // What is wanted may have changed while nobody came.
      return traceFlow(viewOf(router, registry), flow, { node: node.name, timeout: seconds, observation });
    });
    done();
  };
}

/** `null`: no packet is waited for. Error: `request_malformed`. */
function readTimeout({ live = false, timeout }: TraceRequest): number | null {
  if (live) return timeout ?? DEFAULT_TIMEOUT;
  if (timeout !== undefined) throw requestMalformed('timeout is for live traces only', 'timeout');
  return null;
}

function viewOf(router: RouterId, { forwards, statuses }: Registry): TracedView {
  const known = statuses.of(router);
  return {
    router,
    forwards: forwards.ofRouter(router),
    statuses: known,
    gateways: knownGateways(known),
    now: printTime(Date.now()),
    isTakenUnseen: (spec) => forwards.isTakenUnseen(spec),
  };
}

/** Errors: of the model, each with its field; `packet_family_mismatch`. */
function readFlow(request: TraceRequest): Flow {
  const protocol = inFieldOf('protocol', () => parseProtocol(request.protocol ?? 'tcp'));
  const source = inFieldOf('source', () => parseAddress(request.source));
  const sourcePort = inFieldOf('source_port', () =>
    request.source_port === undefined ? null : readPort(request.source_port),
  );
  const destination = inFieldOf('destination', () => parseAddress(request.destination));
  const port = inFieldOf('destination_port', () => readPort(request.destination_port));
  if (source.family !== destination.family) {
    const parameters = { source: source.text, destination: destination.text };
    throw hatobaError('packet_family_mismatch', parameters, { field: 'source' });
  }
  return { packet: { protocol, source, destination, port }, sourcePort };
}

function readPort(port: string | number): number {
  return parseSinglePort(String(port));
}
