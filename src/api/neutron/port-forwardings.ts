import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Forward } from '../../model/forward.ts';
import { READ, WRITE } from '../access/access.ts';
import { signalOfClient } from '../v1/patience.ts';
import { DEFAULT_WAIT } from '../v1/schemas.ts';
import { untilSettled } from '../v1/settling.ts';
import { refuseUnknownProtocol } from './attribute-values.ts';
import type { NeutronDeps } from './deps.ts';
import type { Document } from './documents.ts';
import { openBulk, openEnvelope } from './envelope.ts';
import { FLOATING_IP } from './floating-ips.ts';
import { type ForwardingWish, readWish } from './forwarding-wish.ts';
import { createForwardings, deleteForwarding, forwardAt, forwardsAt, updateForwarding } from './forwardings.ts';
import { inquire, namedGateway } from './inquiry.ts';
import { type Listable, readFields, readListQuery } from './list-query.ts';
import { answerList, selectFields } from './listing.ts';
import { listForwardings, wantsExtras } from './port-forwarding-answers.ts';
import { revisionOf } from './revision-match.ts';
import { type NeutronRequest, parameter, refuseBody, serve, urlOf } from './serving.ts';
import type { GatewayIp, Inquiry } from './topology.ts';

const RESOURCE = 'port_forwarding';

const PORT_FORWARDINGS: Listable = {
  collection: 'port_forwardings',
  // The last two are refused by Neutron, although clients of it can ask for them.
  filters: [
    'id',
    'internal_port_id',
    'external_port',
    'external_port_range',
    'protocol',
    'description',
    'internal_ip_address',
    'internal_port',
  ],
  sortKeys: ['id', 'internal_port_id', 'external_port', 'external_port_range', 'protocol'],
};

/** About a thousand in one request. */
const BULK_LIMIT = 256 * 1024;

/** Forwards at the floating IPs that stand for gateways, as `floatingips/{id}/port_forwardings`. `floatingIp`: the path of one. */
export function servePortForwardings(api: FastifyInstance, deps: NeutronDeps, floatingIp = FLOATING_IP): void {
  serve(api, `${floatingIp}/port_forwardings`, {
    GET: { access: READ, handler: (request) => list(deps, request) },
    POST: {
      access: WRITE,
      rule: 'create_floatingip_port_forwarding',
      bodyLimit: BULK_LIMIT,
      handler: (request, reply) => create(deps, request, reply),
    },
  });
  serve(api, `${floatingIp}/port_forwardings/:id`, {
    GET: { access: READ, handler: (request) => show(deps, request) },
    PUT: {
      access: WRITE,
      rule: 'update_floatingip_port_forwarding',
      handler: (request, reply) => update(deps, request, reply),
    },
    DELETE: {
      access: WRITE,
      rule: 'delete_floatingip_port_forwarding',
      handler: (request, reply) => remove(deps, request, reply),
    },
  });
}

async function list(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const url = urlOf(request);
  const query = readListQuery(url.search, PORT_FORWARDINGS);
  for (const protocol of query.filters.get('protocol') ?? []) refuseUnknownProtocol(protocol);
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  const forwards = forwardsAt(inquiry, gateway);
  const things = await listForwardings(deps, inquiry, gateway, forwards, wantsExtras(request));
  return answerList(things, query, PORT_FORWARDINGS, url);
}

async function show(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  const forward = forwardAt(inquiry, gateway, parameter(request, 'id'));
  const [document = {}] = await print(deps, inquiry, gateway, [forward], wantsExtras(request));
  return { [RESOURCE]: selectFields(document, readFields(urlOf(request).search)) };
}

async function create(deps: NeutronDeps, request: NeutronRequest, reply: FastifyReply): Promise<Document> {
  const bulk = openBulk(request.body, PORT_FORWARDINGS.collection, RESOURCE);
  const bodies = bulk ?? [openEnvelope(request.body, RESOURCE)];
  const wishes = bodies.map((body) => readWish(body, 'create'));
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  const created = await createForwardings(deps, inquiry, gateway, wishes);
  const documents = await answerChanges(deps, inquiry, gateway, created, wishes, request, reply);
  reply.code(201);
  return bulk === null ? { [RESOURCE]: documents[0] } : { [PORT_FORWARDINGS.collection]: documents };
}

async function update(deps: NeutronDeps, request: NeutronRequest, reply: FastifyReply): Promise<Document> {
  const wish = readWish(openEnvelope(request.body, RESOURCE), 'update');
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  const updated = await updateForwarding(deps, inquiry, gateway, parameter(request, 'id'), wish, revisionOf(request));
  const [document] = await answerChanges(deps, inquiry, gateway, [updated], [wish], request, reply);
  return { [RESOURCE]: document };
}

async function remove(deps: NeutronDeps, request: NeutronRequest, reply: FastifyReply): Promise<void> {
  refuseBody(request);
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  await deleteForwarding(inquiry, gateway, parameter(request, 'id'), revisionOf(request));
  reply.code(204);
}

/** Neutron answers when a change is stored. Who asks for the state as well waits for one that means something. */
async function answerChanges(
  deps: NeutronDeps,
  inquiry: Inquiry,
  gateway: GatewayIp,
  changed: readonly Forward[],
  wishes: readonly ForwardingWish[],
  request: NeutronRequest,
  reply: FastifyReply,
): Promise<readonly Document[]> {
  const withExtras = wantsExtras(request) || wishes.some(({ usesExtras }) => usesExtras);
  if (withExtras) {
    const patience = { seconds: DEFAULT_WAIT, signal: signalOfClient(reply) };
    await Promise.all(changed.map((forward) => untilSettled(inquiry.registry, deps.waiting, forward, patience)));
  }
  return print(deps, inquiry, gateway, changed, withExtras);
}

async function print(
  deps: NeutronDeps,
  inquiry: Inquiry,
  gateway: GatewayIp,
  forwards: readonly Forward[],
  withExtras: boolean,
): Promise<readonly Document[]> {
  const things = await listForwardings(deps, inquiry, gateway, forwards, withExtras);
  return things.map((thing) => thing.print());
}
