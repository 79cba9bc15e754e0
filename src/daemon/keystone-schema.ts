/** The key `keystone` of the configuration; either `password` or `password_file` is there. */
export interface KeystoneKeys {
  readonly auth_url: string;
  readonly username: string;
  readonly password?: string;
  readonly password_file?: string;
  readonly user_domain?: string;
  readonly project: string;
  readonly project_domain?: string;
  readonly ca_file?: string;
  readonly cache_seconds?: number;
  readonly admin_roles?: readonly string[];
  readonly member_roles?: readonly string[];
  readonly reader_roles?: readonly string[];
}

const name = { type: 'string', minLength: 1, maxLength: 255 };
const names = { type: 'array', items: name };
const file = { type: 'string', pattern: '^/.' };

/** JSON Schema of `KeystoneKeys`, or null. */
export const KEYSTONE_SCHEMA = {
  type: ['object', 'null'],
  additionalProperties: false,
  required: ['auth_url', 'username', 'project'],
  properties: {
    auth_url: { type: 'string', format: 'web-address' },
    username: name,
    password: { type: 'string', minLength: 1 },
    password_file: file,
    user_domain: name,
    project: name,
    project_domain: name,
    ca_file: file,
    cache_seconds: { type: 'integer', minimum: 0, maximum: 3600 },
    admin_roles: names,
    member_roles: names,
    reader_roles: names,
  } satisfies Record<keyof KeystoneKeys, object>,
  oneOf: [
    { type: 'null' },
    { type: 'object', required: ['password'] },
    { type: 'object', required: ['password_file'] },
  ],
};
