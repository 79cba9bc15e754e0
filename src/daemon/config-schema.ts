import { type Static, Type } from 'typebox';

const interfaces = {
  outside: Type.Array(Type.String({ minLength: 1, maxLength: 15 }), { minItems: 1 }),
  inside: Type.Array(Type.String({ minLength: 1, maxLength: 15 })),
};

const RouterPattern = Type.Object(
  { namespace: Type.String({ pattern: '^[\\w.+@:*-]{1,255}$' }), ...interfaces },
  { additionalProperties: false },
);

/** One configuration file, every key of it optional; docs/operations.md explains them. */
export const ConfigFile = Type.Object(
  {
    node: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][\\w.-]{0,252}$' })),
    store: Type.Optional(Type.String({ pattern: '^sqlite:.' })),
    socket: Type.Optional(Type.String({ pattern: '^/.', maxLength: 100 })),
    roles: Type.Optional(Type.Array(Type.Enum(['api', 'agent']), { minItems: 1, uniqueItems: true })),
    log_level: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'])),
    nft_driver: Type.Optional(Type.Enum(['auto', 'libnftables', 'nft'])),
    namespace_directory: Type.Optional(Type.String({ pattern: '^/.' })),
    neutron: Type.Optional(Type.Boolean()),
    routers: Type.Optional(Type.Array(RouterPattern)),
    host: Type.Optional(Type.Union([Type.Null(), Type.Object(interfaces, { additionalProperties: false })])),
  },
  { additionalProperties: false },
);

export type ConfigFile = Static<typeof ConfigFile>;

/** Everything decided. */
export type Config = Readonly<Required<ConfigFile>>;
