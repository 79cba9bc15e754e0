import type { KeyPairFiles } from '../api/listen/key-pair.ts';
import { MOST_CONNECTIONS } from '../api/listen/limits.ts';
import { BACKENDS, type BackendName } from '../dataplane/linux/backend.ts';
import type { NamespacePattern, RouterSides } from '../dataplane/linux/namespaces.ts';
import type { GrantInput } from '../model/grants.ts';
import { KEYSTONE_SCHEMA, type KeystoneKeys } from './keystone-schema.ts';
import { NEUTRON_SCHEMA, type NeutronKeys } from './neutron-schema.ts';

/** What the file calls by another name than the program does. */
interface Permissions {
  readonly open_forward_policy?: boolean;
}

interface RateLimit {
  readonly requests_per_second: number;
  readonly burst: number;
}

/** One configuration file, every key of it optional; docs/operations.md explains them. */
export interface ConfigFile {
  readonly node?: string;
  readonly store?: string;
  readonly socket?: string;
  /** `ADDR:PORT`; `null`: only the socket. */
  readonly listen?: string | null;
  /** How callers on TCP are known. */
  readonly authentication?: 'none' | 'tokens';
  /** Whose tokens count besides our own; `null`: nobody's. */
  readonly keystone?: KeystoneKeys | null;
  /** `null`: TCP without TLS. */
  readonly tls?: KeyPairFiles | null;
  /** How often each caller on TCP who said who they are may ask; `null`: as often as they like. */
  readonly rate_limit?: RateLimit | null;
  /** How many connections on TCP each remote address may have. */
  readonly connections_per_address?: number;
  readonly roles?: readonly ('api' | 'agent')[];
  readonly log_level?: 'debug' | 'info' | 'warn' | 'error';
  readonly backend?: BackendName;
  readonly nft_driver?: 'auto' | 'libnftables' | 'nft';
  readonly namespace_directory?: string;
  readonly accounting?: boolean;
  readonly neutron?: boolean | NeutronKeys;
  readonly routers?: readonly (NamespacePattern & Permissions)[];
  readonly host?: (RouterSides & Permissions) | null;
  readonly auto_ports?: string;
  readonly projects?: readonly GrantInput[];
  readonly forward_metrics?: number;
}

/** Everything decided. */
export type Config = Required<ConfigFile>;

const file = { type: 'string', pattern: '^/.' };
const prefix = { type: 'string', minLength: 1, maxLength: 15 };
const backend = { enum: BACKENDS };
const ports = { type: 'string', format: 'ports' };
/** YAML takes a single port for a number. */
const portOrPorts = { type: ['string', 'integer'], format: 'ports', minimum: 1, maximum: 65_535 };
const addresses = { type: 'array', items: { type: 'string', format: 'network' } };
const namespace = { type: 'string', pattern: '^[\\w.+@:*-]{1,255}$' };
const sides = {
  outside: { type: 'array', items: prefix, minItems: 1 },
  inside: { type: 'array', items: prefix },
  backend,
  open_forward_policy: { type: 'boolean' },
};

/** JSON Schema of `ConfigFile`. Written out, because loading a schema builder would be a third of the daemon's start. */
export const CONFIG_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    node: { type: 'string', pattern: '^[A-Za-z0-9][\\w.-]{0,252}$' },
    store: { type: 'string', pattern: '^sqlite:.' },
    socket: { type: 'string', pattern: '^/.', maxLength: 100 },
    listen: { type: ['string', 'null'], minLength: 1 },
    authentication: { enum: ['none', 'tokens'] },
    keystone: KEYSTONE_SCHEMA,
    tls: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['certificate', 'key'],
      properties: { certificate: file, key: file },
    },
    rate_limit: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['requests_per_second', 'burst'],
      properties: {
        requests_per_second: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
        burst: { type: 'integer', minimum: 1, maximum: 1_000_000 },
      },
    },
    connections_per_address: { type: 'integer', minimum: 1, maximum: MOST_CONNECTIONS },
    roles: { type: 'array', items: { enum: ['api', 'agent'] }, minItems: 1, uniqueItems: true },
    log_level: { enum: ['debug', 'info', 'warn', 'error'] },
    backend,
    nft_driver: { enum: ['auto', 'libnftables', 'nft'] },
    namespace_directory: { type: 'string', pattern: '^/.' },
    accounting: { type: 'boolean' },
    neutron: NEUTRON_SCHEMA,
    routers: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['namespace', 'outside', 'inside'],
        properties: { namespace, ...sides },
      },
    },
    host: {
      type: ['object', 'null'],
      additionalProperties: false,
      properties: sides,
    },
    auto_ports: ports,
    projects: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['project'],
        properties: {
          project: { type: 'string', minLength: 1, maxLength: 255 },
          quota: { type: 'integer', minimum: 0 },
          external_ports: portOrPorts,
          external_addresses: addresses,
          routers: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['router'],
              properties: { router: namespace, external_ports: portOrPorts, external_addresses: addresses },
            },
          },
        },
      },
    },
    forward_metrics: { type: 'integer', minimum: 0, maximum: 100_000 },
  } satisfies Record<keyof ConfigFile, object>,
};
