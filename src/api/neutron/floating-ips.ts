import type { FastifyInstance } from 'fastify';
import type { Forward } from '../../model/forward.ts';
import { READ, WRITE } from '../access/access.ts';
import type { NeutronDeps } from './deps.ts';
import type { Document } from './documents.ts';
import { NeutronFault } from './faults.ts';
import { printForwardingInFloatingIp } from './forwarding-documents.ts';
import { forwardsAt } from './forwardings.ts';
import { inquire, namedGateway } from './inquiry.ts';
import { type Listable, readFields, readListQuery } from './list-query.ts';
import { answerList, type Listed, listed, selectFields } from './listing.ts';
import { type NeutronRequest, refuseBody, serve, urlOf } from './serving.ts';
import type { GatewayIp, Inquiry } from './topology.ts';

export const FLOATING_IPS: Listable = {
  collection: 'floatingips',
  filters: [
    'id',
    'floating_ip_address',
    'floating_network_id',
    'router_id',
    'port_id',
    'fixed_ip_address',
    'tenant_id',
    'project_id',
    'status',
    'description',
    'tags',
  ],
  sortKeys: [
    'id',
    'floating_ip_address',
    'floating_network_id',
    'router_id',
    'port_id',
    'fixed_ip_address',
    'tenant_id',
    'project_id',
    'status',
  ],
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
  const document = await printGatewayIp(deps, inquiry, await namedGateway(deps, inquiry, request));
  return { floatingip: selectFields(document, readFields(urlOf(request).search)) };
}

/** All that the caller may see, ready to be listed. */
export async function listGatewayIps(deps: NeutronDeps, inquiry: Inquiry): Promise<readonly Listed[]> {
  const gateways = await deps.topology.gateways(inquiry);
  return Promise.all(gateways.map(async (gateway) => listed(await printGatewayIp(deps, inquiry, gateway))));
}

/** A floating IP as Neutron answers it; no key more. */
export async function printGatewayIp(
  { topology, node }: NeutronDeps,
  inquiry: Inquiry,
  gateway: GatewayIp,
): Promise<Document & { readonly id: string }> {
  const forwards = [...forwardsAt(inquiry, gateway)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const portIds = await topology.portIds(inquiry, gateway, forwards);
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
