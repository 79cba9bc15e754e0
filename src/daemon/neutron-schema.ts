/** How Neutron's API is served; its routers are managed then, too. */
export interface NeutronKeys {
  readonly single_port_ranges?: boolean;
  readonly upstream?: string;
  readonly upstream_ca_file?: string;
  readonly sweep_seconds?: number;
}

/** JSON Schema of `NeutronKeys`, or whether Neutron's routers are managed. */
export const NEUTRON_SCHEMA = {
  type: ['boolean', 'object'],
  additionalProperties: false,
  properties: {
    single_port_ranges: { type: 'boolean' },
    upstream: { type: 'string', format: 'web-address' },
    upstream_ca_file: { type: 'string', pattern: '^/.' },
    sweep_seconds: { type: 'integer', minimum: 1, maximum: 86_400 },
  } satisfies Record<keyof NeutronKeys, object>,
};
