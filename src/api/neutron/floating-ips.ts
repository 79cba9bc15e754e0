import type { FastifyInstance } from 'fastify';
import { READ, WRITE } from '../access/access.ts';
import type { NeutronDeps } from './deps.ts';
import type { Document } from './documents.ts';
import { forwardsAt } from './forwardings.ts';
import { type GatewayState, notToBeChanged, refuseGatewayDeletion, refuseGatewayUpdate } from './gateway-changes.ts';
import { type ForwardsOfGateway, printGatewayIp, revisionOfGateway } from './gateway-documents.ts';
import { inquire, namedGateway } from './inquiry.ts';
import { type Listable, type ListQuery, readFields, readListQuery } from './list-query.ts';
import { answerList, isWanted, type Listed, listed, selectFields } from './listing.ts';
import { requireRevision, revisionOf } from './revision-match.ts';
import { type NeutronRequest, refuseBody, serve, urlOf } from './serving.ts';
import { hasWantedTags, withoutTagFilters } from './tag-filters.ts';
import type { GatewayIp, Inquiry } from './topology.ts';

const SORT_KEYS = [
  'id',
  'floating_ip_address',
  'floating_network_id',
  'router_id',
  'port_id',
  'fixed_ip_address',
  'tenant_id',
  'project_id',
  'status',
] as const;

export const FLOATING_IPS: Listable = {
  collection: 'floatingips',
  filters: [...SORT_KEYS, 'description', 'tags', 'tags-any', 'not-tags', 'not-tags-any'],
  sortKeys: SORT_KEYS,
};

/** Which of a project are wanted; what else a list can be asked for by has no influence on how gateways are shown. */
const PROJECT = ['project_id', 'tenant_id'];

/** The path of any floating IP. */
export const FLOATING_IP = '/floatingips/:floatingip';

/** Gateways as floating IPs. They come and go with routers: nobody makes, changes or deletes one. */
export function serveFloatingIps(api: FastifyInstance, deps: NeutronDeps): void {
  serve(api, '/floatingips', {
    GET: { access: READ, handler: (request) => list(deps, request) },
    POST: { access: WRITE, rule: 'create_floatingip', handler: refuseFloatingIps },
  });
  serveFloatingIp(api, deps, FLOATING_IP);
}

/** One gateway as a floating IP. `path`: with a parameter `floatingip`. */
export function serveFloatingIp(api: FastifyInstance, deps: NeutronDeps, path: string): void {
  serve(api, path, {
    GET: { access: READ, handler: (request) => show(deps, request) },
    PUT: { access: WRITE, rule: 'update_floatingip', handler: (request) => update(deps, request) },
    DELETE: { access: WRITE, rule: 'delete_floatingip', handler: (request) => remove(deps, request) },
  });
}

async function list(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const url = urlOf(request);
  const query = readListQuery(url.search, FLOATING_IPS);
  const things = await listGatewayIps(deps, inquire(deps, request), query);
  return answerList(things, { ...query, filters: withoutTagFilters(query.filters) }, FLOATING_IPS, url);
}

async function show(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const { document } = await stateOf(deps, request);
  return { floatingip: selectFields(document, readFields(urlOf(request).search)) };
}

/** Those that the caller may see and these filters let through, ready to be listed; ports are asked for at once for all. */
export async function listGatewayIps(
  { topology, node: { startedAt } }: NeutronDeps,
  inquiry: Inquiry,
  { filters }: Pick<ListQuery, 'filters'>,
): Promise<readonly Listed[]> {
  const view = PROJECT.some((key) => filters.has(key)) ? 'project list' : 'list';
  const others = { filters: withoutTagFilters(filters) };
  const wanted = (await topology.gateways(inquiry))
    .filter(({ tags }) => hasWantedTags(tags, filters))
    .map((gateway) => forwardsOf(inquiry, gateway))
    .filter((at) => isWanted(listed(printGatewayIp(at, new Map(), startedAt, 'list')), others));
  const forwards = wanted.flatMap((at) => at.forwards);
  const portIds = await topology.portIds(inquiry, forwards);
  return wanted.map((at) => ({
    id: at.gateway.id,
    // Whatever is shown, none is found by what free ones are searched for.
    attributes: printGatewayIp(at, portIds, startedAt, 'list'),
    print: () => printGatewayIp(at, portIds, startedAt, view),
  }));
}

function forwardsOf(inquiry: Inquiry, gateway: GatewayIp): ForwardsOfGateway {
  return { gateway, forwards: [...forwardsAt(inquiry, gateway)].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

function refuseFloatingIps(): never {
  throw notToBeChanged();
}

async function update(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const { document, isInUse } = await stateOf(deps, request);
  refuseGatewayUpdate(request.body, { document, isInUse });
  return { floatingip: document };
}

async function remove(deps: NeutronDeps, request: NeutronRequest): Promise<never> {
  refuseBody(request);
  refuseGatewayDeletion(await stateOf(deps, request));
}

/** Errors: `FloatingIPNotFound`; `RevisionNumberConstraintFailed` where the request is for another revision. */
async function stateOf(deps: NeutronDeps, request: NeutronRequest): Promise<GatewayState> {
  const inquiry = inquire(deps, request);
  const at = forwardsOf(inquiry, await namedGateway(deps, inquiry, request));
  if (request.method !== 'GET') requireRevision(revisionOf(request), revisionOfGateway(at.forwards));
  const portIds = await deps.topology.portIds(inquiry, at.forwards);
  const document = printGatewayIp(at, portIds, deps.node.startedAt, 'single');
  return { document, isInUse: at.forwards.length > 0 };
}
