import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Credentials } from './credentials.ts';
import { createQueries } from './queries.ts';
import type { Upstream } from './upstream.ts';

const FixedIp = Type.Object({ subnet_id: Type.String(), ip_address: Type.String() });

const Router = Type.Object({
  id: Type.String(),
  project_id: Type.String(),
  external_gateway_info: Type.Union([
    Type.Null(),
    Type.Object({ network_id: Type.String(), external_fixed_ips: Type.Optional(Type.Array(FixedIp)) }),
  ]),
  tags: Type.Optional(Type.Array(Type.String())),
});

const Port = Type.Object({
  id: Type.String(),
  network_id: Type.String(),
  device_id: Type.String(),
  device_owner: Type.String(),
  fixed_ips: Type.Array(FixedIp),
});

const FloatingIp = Type.Object({ id: Type.String(), floating_ip_address: Type.String() });

/** Neutron's words, of which only those that are looked at are named. */
export type NeutronRouter = Static<typeof Router>;
export type NeutronPort = Static<typeof Port>;
export type NeutronFloatingIp = Static<typeof FloatingIp> & Readonly<Record<string, unknown>>;

/** What Neutron knows, as whoever asks may see it. Errors of all: `NeutronRefusal`, `neutron_unavailable`. */
export interface NeutronClient {
  routers(credentials: Credentials, ids?: readonly string[]): Promise<readonly NeutronRouter[]>;
  router(credentials: Credentials, id: string): Promise<NeutronRouter | null>;
  port(credentials: Credentials, id: string): Promise<NeutronPort | null>;
  portsById(credentials: Credentials, ids: readonly string[]): Promise<readonly NeutronPort[]>;
  /** Those of devices: interfaces of routers. */
  portsOfDevices(credentials: Credentials, devices: readonly string[]): Promise<readonly NeutronPort[]>;
  /** Those that have one of these addresses, in whatever network. */
  portsAt(credentials: Credentials, addresses: readonly string[]): Promise<readonly NeutronPort[]>;
  /** With all that Neutron says of them. `query`: filters and sorting. */
  floatingIps(credentials: Credentials, query: URLSearchParams): Promise<readonly NeutronFloatingIp[]>;
  floatingIp(credentials: Credentials, id: string): Promise<NeutronFloatingIp | null>;
  hasExtension(credentials: Credentials, alias: string): Promise<boolean>;
  extensions(credentials: Credentials): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** So many filters of 50 characters fit into the longest line that Neutron reads. */
const MOST_FILTERS = 100;

export function createNeutronClient(upstream: Upstream): NeutronClient {
  const queries = createQueries(upstream);
  const readers = {
    router: reader(Router, upstream),
    port: reader(Port, upstream),
    floatingIp: reader(FloatingIp, upstream),
    extension: reader(Type.Record(Type.String(), Type.Unknown()), upstream),
  };

  /** Lists what has one of these values, in as many questions as that takes. */
  async function filtered(
    credentials: Credentials,
    collection: string,
    schema: TSchema,
    { key, values }: { readonly key: string; readonly values: readonly string[] },
  ): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    for (let first = 0; first < values.length; first += MOST_FILTERS) {
      const query = fieldsOf(schema);
      for (const value of values.slice(first, first + MOST_FILTERS)) query.append(key, value);
      found.push(...(await queries.all(credentials, collection, query)));
    }
    return found;
  }

  async function ports(
    credentials: Credentials,
    key: string,
    values: readonly string[],
  ): Promise<readonly NeutronPort[]> {
    return (await filtered(credentials, 'ports', Port, { key, values })).map(readers.port);
  }

  return {
    async routers(credentials, ids) {
      const found =
        ids === undefined
          ? await queries.all(credentials, 'routers', fieldsOf(Router))
          : await filtered(credentials, 'routers', Router, { key: 'id', values: ids });
      return found.map(readers.router);
    },
    async router(credentials, id) {
      const found = await queries.one(
        credentials,
        `/v2.0/routers/${encodeURIComponent(id)}?${String(fieldsOf(Router))}`,
      );
      return found === null ? null : readers.router(inside(found, 'router'));
    },
    async port(credentials, id) {
      const found = await queries.one(credentials, `/v2.0/ports/${encodeURIComponent(id)}?${String(fieldsOf(Port))}`);
      return found === null ? null : readers.port(inside(found, 'port'));
    },
    portsById: (credentials, ids) => ports(credentials, 'id', ids),
    portsOfDevices: (credentials, devices) => ports(credentials, 'device_id', devices),
    portsAt: (credentials, addresses) =>
      ports(
        credentials,
        'fixed_ips',
        addresses.map((address) => `ip_address=${address}`),
      ),
    floatingIps: async (credentials, query) =>
      (await queries.all(credentials, 'floatingips', query)).map(readers.floatingIp),
    async floatingIp(credentials, id) {
      const found = await queries.one(credentials, `/v2.0/floatingips/${encodeURIComponent(id)}`);
      return found === null ? null : readers.floatingIp(inside(found, 'floatingip'));
    },
    hasExtension: async (credentials, alias) =>
      (await queries.one(credentials, `/v2.0/extensions/${encodeURIComponent(alias)}`)) !== null,
    extensions: async (credentials) =>
      (await queries.all(credentials, 'extensions', new URLSearchParams())).map(readers.extension),
  };
}

/** Of what Neutron could say, only what is looked at. */
function fieldsOf({ properties }: TSchema & { readonly properties?: object }): URLSearchParams {
  return new URLSearchParams(Object.keys(properties ?? {}).map((field): [string, string] => ['fields', field]));
}

function inside(answer: unknown, resource: string): unknown {
  return typeof answer === 'object' && answer !== null ? new Map(Object.entries(answer)).get(resource) : undefined;
}

function reader<Schema extends TSchema>(schema: Schema, upstream: Upstream): (value: unknown) => Static<Schema> {
  const validator = Compile(schema);
  return (value) => {
    if (validator.Check(value)) return value;
    throw upstream.unavailable('its answer is none of Neutron', `it says ${JSON.stringify(value)?.slice(0, 200)}`);
  };
}
