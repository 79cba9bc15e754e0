import type { FastifyInstance } from 'fastify';
import type { RouterId } from '../../../model/router.ts';
import { READ } from '../../access/access.ts';
import type { NeutronDeps } from '../deps.ts';
import { badRequest, type FaultType, NeutronFault } from '../faults.ts';
import { printSeconds } from '../gateway-documents.ts';
import { inquire } from '../inquiry.ts';
import { type Listable, readFields, readListQuery } from '../list-query.ts';
import { answerList, listed, selectFields } from '../listing.ts';
import { type NeutronRequest, parameter, serve, urlOf } from '../serving.ts';
import type { Inquiry } from '../topology.ts';
import { readFixedIpFilter } from './fixed-ip-filter.ts';
import type { Identities } from './identities.ts';
import { MOST_PORTS, type Port, type Ports } from './ports.ts';
import {
  type Around,
  printGatewayPort,
  printNetwork,
  printPort,
  printRouter,
  printSubnet,
  type Thing,
} from './things.ts';

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
  readonly find?: (around: Looking, reference: string) => Promise<Thing | null>;
  /** Filters that `things` has applied. */
  readonly decided?: readonly string[];
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
    find: findPort,
    decided: ['fixed_ips'],
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
  const { decided = [] } = lookup;
  const filters = new Map([...query.filters].filter(([key]) => !decided.includes(key)));
  return answerList(things.map(listed), { ...query, filters }, lookup, url);
}

async function show(deps: LookupDeps, lookup: Lookup, request: NeutronRequest): Promise<unknown> {
  const { search } = urlOf(request);
  const around = lookAround(deps, request);
  const id = parameter(request, 'id');
  const { find = findIn(await lookup.things(around, new URLSearchParams())) } = lookup;
  const thing = await find(around, id);
  if (thing === null) throw notFound(lookup, id);
  return { [lookup.resource]: selectFields(thing, readFields(search)) };
}

function findIn(things: readonly Thing[]): (around: Looking, id: string) => Promise<Thing | null> {
  return async (_around, id) => things.find((thing) => thing.id === id) ?? null;
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

/** Also the port of a router outside, which is listed nowhere, as Neutron shows it to admins alone. */
async function findPort(around: Looking, reference: string): Promise<Thing | null> {
  const { deps, inquiry } = around;
  const port = deps.ports.find(inquiry, reference);
  if (port !== null) return printPort(around, port);
  const gateway = (await deps.topology.gateways(inquiry)).find(({ portId }) => portId === reference);
  return gateway === undefined ? null : printGatewayPort(around, gateway);
}

/** How many ports can be asked for by name, address and id at once. */
const MOST_NAMES = 100;

/**
 * Any address is a port's name, behind each router that there is for the caller; only those that are in use are listed without
 * being asked for. Errors: `HTTPBadRequest`, `InvalidInput`.
 */
function wantedPorts({ deps: { ports }, inquiry, identities }: Looking, search: URLSearchParams): readonly Port[] {
  const { addresses, matches } = readFixedIpFilter(search.getAll('fixed_ips'), identities);
  const ids = new Set(search.getAll('id'));
  const names = new Set([...search.getAll('name'), ...(addresses ?? [])]);
  if (ids.size + names.size > MOST_NAMES) {
    throw badRequest(`No more than ${MOST_NAMES} ports can be asked for at once`);
  }
  if (ids.size > 0) return distinct([...ids].flatMap((id) => ports.find(inquiry, id) ?? [])).filter(matches);
  if (names.size === 0) return ports.list(inquiry).filter(matches);
  const routers = routersOf(inquiry, identities, search);
  if (names.size * routers.length > MOST_PORTS) {
    throw badRequest(`${names.size} addresses behind ${routers.length} routers are too many ports; name a network_id`);
  }
  return distinct([...names].flatMap((text) => ports.named(inquiry, text, routers))).filter(matches);
}

/** Those that have one of the networks or subnets that the query names; all, where it names none. */
function routersOf({ registry: { statuses } }: Inquiry, identities: Identities, search: URLSearchParams) {
  const networks = search.getAll('network_id');
  const subnets = search.getAll('fixed_ips').filter((text) => text.startsWith('subnet_id='));
  return statuses.routers().filter((router) => {
    const network = identities.inside(router);
    const isInSubnet = subnets.length === 0 || subnets.includes(`subnet_id=${identities.subnet(network)}`);
    return isInSubnet && (networks.length === 0 || networks.includes(network));
  });
}

function distinct(ports: readonly Port[]): readonly Port[] {
  return [...new Map(ports.map((port) => [port.id, port])).values()];
}
