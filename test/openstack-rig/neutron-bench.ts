import { createRouterOwners } from '../../src/api/neutron/upstream/router-owners.ts';
import { parseGrants } from '../../src/model/grants.ts';
import { tokenCredentials } from '../../src/openstack/neutron/credentials.ts';
import { createUpstream } from '../../src/openstack/neutron/upstream.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openBench } from '../api/api-under-test.ts';
import { type NeutronOptions, type NeutronServer, startNeutron } from './neutron-server.ts';
import { authenticateReadableToken, readableToken } from './readable-tokens.ts';

export const ADMIN = readableToken('root', 'ops', 'admin');
export const ALICE = readableToken('alice', 'blue', 'member');
export const BOB = readableToken('bob', 'red', 'member');

/** How long it may take to build one with a cloud on a machine that does much else, in milliseconds. */
export const BUILDING = 300_000;

/** Hatoba's API on a port, in front of a real Neutron. */
export interface NeutronBench extends AsyncDisposable {
  readonly neutron: NeutronServer;
  /** Of hatoba. */
  readonly url: string;
  readonly registry: Registry;
}

export interface NeutronBenchOptions extends NeutronOptions {
  /** Default: an hour. */
  readonly sweepInterval?: number;
}

export async function openNeutronBench(options: NeutronBenchOptions = {}): Promise<NeutronBench> {
  await using stack = new AsyncDisposableStack();
  const neutron = stack.use(await startNeutron({ auth: 'tokens', ...options }));
  const owners = createRouterOwners();
  const bench = stack.use(
    await openBench({
      authenticate: authenticateReadableToken,
      grants: parseGrants([], owners.mayUse),
      neutron: {
        upstream: {
          upstream: createUpstream(new URL(neutron.url)),
          owners,
          account: async () => ({ credentials: tokenCredentials(ADMIN), seesAll: true }),
          sweepInterval: options.sweepInterval ?? 3_600_000,
        },
      },
    }),
  );
  const url = await bench.api.listen({ port: 0, host: '127.0.0.1' });
  const steps = stack.move();
  return { neutron, url, registry: bench.registry, [Symbol.asyncDispose]: () => steps.disposeAsync() };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** What came as JSON; asked for a key or an index that is not there, it is `undefined`. */
export type Json = Readonly<Record<string, unknown>>;

/** One exchange as whoever has the token. */
export async function ask(url: string, method: string, token: string, content?: unknown): Promise<Answer> {
  const headers = { 'x-auth-token': token, ...(content === undefined ? {} : { 'content-type': 'application/json' }) };
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  const response = await fetch(url, { method, headers, ...body });
  return { status: response.status, headers: response.headers, body: read(await response.text()) };
}

/** What is no JSON is all `text`. */
function read(text: string): Json {
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : { text };
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
}

/** The attributes of what Neutron has made. Throws where it has not. */
export async function make(
  url: string,
  token: string,
  collection: string,
  resource: string,
  wish: Json,
): Promise<Made> {
  const { status, body } = await ask(`${url}/v2.0/${collection}`, 'POST', token, { [resource]: wish });
  const made = body[resource];
  if (status !== 201 || !isMade(made)) throw new Error(`${resource}: ${status} ${JSON.stringify(body)}`);
  return made;
}

export type Made = Json & { readonly id: string };

function isMade(value: unknown): value is Made {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

/** What a project of a cloud has: an outside network of all, and a router with a network behind it. */
export interface Cloud {
  readonly outside: Made;
  readonly outsideSubnet: Made;
  readonly network: Made;
  readonly subnet: Made;
  readonly router: Made;
  /** Of the router, outside. */
  readonly gateway: string;
}

/** An outside network of everybody, made by the operator, and a tenant's router. */
export async function buildCloud(url: string, { operator = ADMIN, tenant = ALICE } = {}): Promise<Cloud> {
  const outside = await make(url, operator, 'networks', 'network', {
    name: 'outside',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'public',
  });
  const outsideSubnet = await make(url, operator, 'subnets', 'subnet', {
    network_id: outside.id,
    ip_version: 4,
    cidr: '198.51.100.0/24',
    enable_dhcp: false,
  });
  return { outside, outsideSubnet, ...(await buildRouter(url, tenant, outside.id)) };
}

async function buildRouter(
  url: string,
  token: string,
  outside: string,
): Promise<Pick<Cloud, 'network' | 'subnet' | 'router' | 'gateway'>> {
  const network = await make(url, token, 'networks', 'network', { name: 'inside' });
  const subnet = await make(url, token, 'subnets', 'subnet', {
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
  });
  const wish = { name: 'r1', external_gateway_info: { network_id: outside } };
  const router = await make(url, token, 'routers', 'router', wish);
  await ask(`${url}/v2.0/routers/${router.id}/add_router_interface`, 'PUT', token, { subnet_id: subnet.id });
  const gateway = /"ip_address":"([\d.]+)"/.exec(JSON.stringify(router['external_gateway_info']))?.[1] ?? '';
  return { network, subnet, router, gateway };
}

export function addressOf(port: Made): string {
  return /"ip_address":"([\d.]+)"/.exec(JSON.stringify(port['fixed_ips']))?.[1] ?? '';
}
