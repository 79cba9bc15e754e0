import type { FastifyInstance } from 'fastify';
import type { RouterId } from '../../../model/router.ts';
import { READ } from '../../access/access.ts';
import type { NeutronDeps } from '../deps.ts';
import { badRequest, type FaultType, NeutronFault } from '../faults.ts';
import { printSeconds } from '../floating-ips.ts';
import { inquire } from '../inquiry.ts';
import { type Listable, readFields, readListQuery } from '../list-query.ts';
import { answerList, listed, selectFields } from '../listing.ts';
import { type NeutronRequest, parameter, serve, urlOf } from '../serving.ts';
import type { Inquiry } from '../topology.ts';
import type { Identities } from './identities.ts';
import type { Port, Ports } from './ports.ts';
import { type Around, printNetwork, printPort, printRouter, printSubnet, type Thing } from './things.ts';

export interface LookupDeps extends NeutronDeps {
  readonly identities: Identities;
  readonly ports: Ports;
}

/** A collection that clients look things up in on their way to a floating IP. */
interface Lookup extends Listable {
  readonly resource: string;
  readonly missing: FaultType;
  /** What there may be that the query wants. */
  readonly things: (around: Looking, search: URLSearchParams) => Promise<readonly Thing[]> | readonly Thing[];
  /** Where not all that is known is listed. */
  readonly find?: (around: Looking, reference: string) => Thing | null;
}

interface Looking extends Around {
  readonly deps: LookupDeps;
  readonly inquiry: Inquiry;
}

const COMMON = ['id', 'name', 'description', 'tenant_id', 'project_id', 'tags'];

const LOOKUPS: readonly Lookup[] = [
  {
    collection: 'networks',
    resource: 'network',
    missing: 'NetworkNotFound',
    filters: [...COMMON, 'router:external', 'status', 'admin_state_up', 'shared', 'mtu', 'subnets'],
    sortKeys: [...COMMON, 'status', 'admin_state_up', 'mtu'],
    things: (around) => networks(around).map(({ id, name }) => printNetwork(around, id, name)),
  },
  {
    collection: 'subnets',
    resource: 'subnet',
    missing: 'SubnetNotFound',
    filters: [...COMMON, 'network_id', 'ip_version', 'cidr', 'gateway_ip', 'enable_dhcp'],
    sortKeys: [...COMMON, 'network_id', 'ip_version', 'cidr', 'gateway_ip', 'enable_dhcp'],
    things: (around) => networks(around).map(({ id, name }) => printSubnet(around, id, name)),
  },
  {
    collection: 'subnetpools',
    resource: 'subnetpool',
    missing: 'SubnetPoolNotFound',
    filters: COMMON,
    sortKeys: COMMON,
    things: () => [],
  },
  {
    collection: 'routers',
    resource: 'router',
    missing: 'RouterNotFound',
    filters: [...COMMON, 'status', 'admin_state_up', 'distributed', 'ha'],
    sortKeys: [...COMMON, 'status', 'admin_state_up'],
    things: routers,
  },
  {
    collection: 'ports',
    resource: 'port',
    missing: 'PortNotFound',
    filters: [
      ...COMMON,
      'network_id',
      'fixed_ips',
      'mac_address',
      'status',
      'admin_state_up',
      'device_id',
      'device_owner',
    ],
    sortKeys: [...COMMON, 'network_id', 'mac_address', 'status', 'admin_state_up', 'device_id', 'device_owner'],
    things: (around, search) => wantedPorts(around, search).map((port) => printPort(around, port)),
    find: (around, reference) => {
      const port = around.deps.ports.find(around.inquiry, reference);
      return port && printPort(around, port);
    },
  },
];

/** Networks, subnets, routers and ports as far as they can be told without a Neutron. They are nobody's to change here. */
export function serveLookups(api: FastifyInstance, deps: LookupDeps): void {
  for (const lookup of LOOKUPS) {
    const { collection } = lookup;
    serve(api, `/${collection}`, { GET: { access: READ, handler: (request) => list(deps, lookup, request) } });
    serve(api, `/${collection}/:id`, { GET: { access: READ, handler: (request) => show(deps, lookup, request) } });
  }
}

async function list(deps: LookupDeps, lookup: Lookup, request: NeutronRequest): Promise<unknown> {
  const url = urlOf(request);
  const query = readListQuery(url.search, lookup);
  const things = await lookup.things(lookAround(deps, request), url.search);
  return answerList(things.map(listed), query, lookup, url);
}

async function show(deps: LookupDeps, lookup: Lookup, request: NeutronRequest): Promise<unknown> {
  const { search } = urlOf(request);
  const around = lookAround(deps, request);
  const id = parameter(request, 'id');
  const { find = findIn(await lookup.things(around, new URLSearchParams())) } = lookup;
  const thing = find(around, id);
  if (thing === null) throw notFound(lookup, id);
  return { [lookup.resource]: selectFields(thing, readFields(search)) };
}

function findIn(things: readonly Thing[]): (around: Looking, id: string) => Thing | null {
  return (_around, id) => things.find((thing) => thing.id === id) ?? null;
}

function notFound({ resource, missing }: Lookup, id: string): NeutronFault {
  const name = `${resource.charAt(0).toUpperCase()}${resource.slice(1)}`;
  return new NeutronFault(missing, `${name} ${id} could not be found.`);
}

function lookAround(deps: LookupDeps, request: NeutronRequest): Looking {
  const { identities, node } = deps;
  const inquiry = inquire(deps, request);
  return { deps, inquiry, identities, projectId: inquiry.caller.project ?? '', since: printSeconds(node.startedAt) };
}

/** The one outside, and what is behind each router. */
function networks({ identities, inquiry }: Looking): readonly { readonly id: string; readonly name: string }[] {
  const inside = inquiry.registry.statuses
    .routers()
    .map((router: RouterId) => ({ id: identities.inside(router), name: `inside ${router}` }));
  return [{ id: identities.outside, name: 'outside' }, ...inside];
}

async function routers(around: Looking): Promise<readonly Thing[]> {
  const { deps, inquiry } = around;
  const gateways = await deps.topology.gateways(inquiry);
  const byRouter = new Map(gateways.map((gateway) => [gateway.router, gateway]));
  return inquiry.registry.statuses.routers().map((router) => printRouter(around, router, byRouter.get(router) ?? null));
}

/** So many ports can be asked for by name, address and id at once. */
const MOST_NAMES = 100;

/** Any address is a port's name; only those that are in use are known without being asked for. Error: `HTTPBadRequest`. */
function wantedPorts({ deps: { ports }, inquiry, identities }: Looking, search: URLSearchParams): readonly Port[] {
  const ids = new Set(search.getAll('id'));
  const addresses = new Set([...search.getAll('name'), ...search.getAll('fixed_ips').flatMap(addressIn)]);
  if (ids.size + addresses.size > MOST_NAMES)
    throw badRequest(`No more than ${MOST_NAMES} ports can be asked for at once`);
  if (ids.size > 0) return distinct([...ids].flatMap((id) => ports.find(inquiry, id) ?? []));
  if (addresses.size === 0) return ports.list(inquiry);
  const named = distinct([...addresses].flatMap((text) => ports.named(inquiry, text) ?? []));
  if (!search.has('network_id')) return named;
  const networks = new Set(search.getAll('network_id'));
  const routers = inquiry.registry.statuses.routers().filter((router) => networks.has(identities.inside(router)));
  return distinct(routers.flatMap((router) => named.map(({ address }) => ports.behind(inquiry, router, address))));
}

/** Of a filter for fixed IPs; one for a subnet names none. */
function addressIn(fixedIp: string): readonly string[] {
  return fixedIp.startsWith('ip_address=') ? [fixedIp.slice('ip_address='.length)] : [];
}

function distinct(ports: readonly Port[]): readonly Port[] {
  return [...new Map(ports.map((port) => [port.id, port])).values()];
}
