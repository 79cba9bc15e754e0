import type { FastifyInstance } from 'fastify';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import { READ, WRITE } from '../access/access.ts';
import type { NeutronDeps } from './deps.ts';
import type { Document } from './documents.ts';
import { NeutronFault } from './faults.ts';
import { printForwardingInFloatingIp } from './forwarding-documents.ts';
import { forwardsAt } from './forwardings.ts';
import { inquire, namedGateway } from './inquiry.ts';
import { type Listable, type ListQuery, readFields, readListQuery } from './list-query.ts';
import { answerList, isWanted, type Listed, listed, selectFields } from './listing.ts';
import { type NeutronRequest, refuseBody, serve, urlOf } from './serving.ts';
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
  filters: [...SORT_KEYS, 'description', 'tags'],
  sortKeys: SORT_KEYS,
};

/** The path of any floating IP. */
export const FLOATING_IP = '/floatingips/:floatingip';

/** Gateways as floating IPs. They come and go with routers: nobody makes, changes or deletes one. */
export function serveFloatingIps(api: FastifyInstance, deps: NeutronDeps): void {
  serve(api, '/floatingips', {
    GET: { access: READ, handler: (request) => list(deps, request) },
    POST: { access: WRITE, rule: 'create_floatingip', handler: () => refuseFloatingIps() },
  });
  serveFloatingIp(api, deps, FLOATING_IP);
}

/** One gateway as a floating IP. `path`: with a parameter `floatingip`. */
export function serveFloatingIp(api: FastifyInstance, deps: NeutronDeps, path: string): void {
  const refuseChange = (request: NeutronRequest) => refuseGatewayChange(deps, request);
  serve(api, path, {
    GET: { access: READ, handler: (request) => show(deps, request) },
    PUT: { access: WRITE, rule: 'update_floatingip', handler: refuseChange },
    DELETE: { access: WRITE, rule: 'delete_floatingip', handler: refuseChange },
  });
}

async function list(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const url = urlOf(request);
  const query = readListQuery(url.search, FLOATING_IPS);
  const things = await listGatewayIps(deps, inquire(deps, request));
  return answerList(things, query, FLOATING_IPS, url);
}

async function show(deps: NeutronDeps, request: NeutronRequest): Promise<Document> {
  const inquiry = inquire(deps, request);
  const at = forwardsOf(inquiry, await namedGateway(deps, inquiry, request));
  const document = printGatewayIp(deps, at, await deps.topology.portIds(inquiry, at.forwards));
  return { floatingip: selectFields(document, readFields(urlOf(request).search)) };
}

/** Those that the caller may see and these filters let through, ready to be listed; ports are asked for at once for all. */
export async function listGatewayIps(
  deps: NeutronDeps,
  inquiry: Inquiry,
  filters: ListQuery['filters'] = new Map(),
): Promise<readonly Listed[]> {
  const gateways = await deps.topology.gateways(inquiry);
  const wanted = gateways
    .map((gateway) => forwardsOf(inquiry, gateway))
    .filter((at) => isWanted(listed(printGatewayIp(deps, at, new Map())), { filters }));
  const portIds = await deps.topology.portIds(
    inquiry,
    wanted.flatMap(({ forwards }) => forwards),
  );
  return wanted.map((at) => listed(printGatewayIp(deps, at, portIds)));
}

interface ForwardsOfGateway {
  readonly gateway: GatewayIp;
  /** In order of their ids. */
  readonly forwards: readonly Forward[];
}

function forwardsOf(inquiry: Inquiry, gateway: GatewayIp): ForwardsOfGateway {
  return { gateway, forwards: [...forwardsAt(inquiry, gateway)].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** A floating IP as Neutron answers it; no key more. */
function printGatewayIp(
  { node }: NeutronDeps,
  { gateway, forwards }: ForwardsOfGateway,
  portIds: ReadonlyMap<ForwardId, readonly string[]>,
): Document & { readonly id: string } {
  return {
    id: gateway.id,
    tenant_id: gateway.projectId,
    floating_ip_address: gateway.address.text,
    floating_network_id: gateway.networkId,
    router_id: gateway.routerId,
    port_id: null,
    fixed_ip_address: null,
    status: 'ACTIVE',
    description: '',
    port_details: null,
    port_forwardings: forwards.map((forward) =>
      printForwardingInFloatingIp(forward, portIds.get(forward.id)?.[0] ?? null),
    ),
    tags: [],
    created_at: printSeconds(node.startedAt),
    updated_at: printSeconds(newest(forwards, node.startedAt)),
    revision_number: forwards.reduce((most, { revision }) => Math.max(most, revision), 0),
    project_id: gateway.projectId,
  };
}

/** Times are texts that sort as they do. */
function newest(forwards: readonly Forward[], least: string): string {
  return [least, ...forwards.map(({ updatedAt }) => updatedAt)].sort().at(-1) ?? least;
}

/** Neutron's times have no fractions of seconds. */
export function printSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function refuseFloatingIps(): never {
  const message = "The floating IPs here are routers' own addresses, which come and go with the routers.";
  throw new NeutronFault('HTTPConflict', message);
}

async function refuseGatewayChange(deps: NeutronDeps, request: NeutronRequest): Promise<never> {
  if (request.method === 'DELETE') refuseBody(request);
  const inquiry = inquire(deps, request);
  const gateway = await namedGateway(deps, inquiry, request);
  if (forwardsAt(inquiry, gateway).length === 0) return refuseFloatingIps();
  throw new NeutronFault('FipInUseByPortForwarding', `Floating IP ${gateway.id} in use by Port Forwarding resources.`);
}
