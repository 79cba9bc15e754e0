import Type from 'typebox';
import Value from 'typebox/value';
import { ADMIN_PASSWORD } from './keystone-server.ts';

/** Somebody who can log in. All are in the domain Default. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly password: string;
}

/** What a token is to be good for, as Keystone's API says it. */
export type Scope = Readonly<Record<string, unknown>> | 'unscoped';

export const DOMAIN: Scope = { domain: { id: 'default' } };

export function inProject(id: string): Scope {
  return { project: { id } };
}

/** Does by Keystone's API what operators and users do; what is refused is thrown. */
export interface KeystoneAdmin {
  /** Makes a project, and gives its id. */
  project(name: string): Promise<string>;
  /** The id of the role, which is made where it is not there. */
  role(name: string): Promise<string>;
  user(name: string): Promise<Account>;
  /** `role`: its id. */
  grant(user: Account, role: string, project: string): Promise<void>;
  /** The same in the domain Default. */
  grantInDomain(user: Account, role: string): Promise<void>;
  enable(user: Account, enabled: boolean): Promise<void>;
  /** A token for the user. */
  logIn(user: Account, scope: Scope): Promise<string>;
  /** A token for the user in the project, that ends in so many seconds. */
  logInBriefly(user: Account, project: string, seconds: number): Promise<string>;
  revoke(token: string): Promise<void>;
}

interface Reply {
  /** `''`: none. */
  readonly token: string;
  readonly document: unknown;
}

const Thing = Type.Object({ id: Type.String() });
/** By its kind, the one thing that was made. */
const Made = Type.Record(Type.String(), Thing);
const Roles = Type.Object({ roles: Type.Array(Thing) });
const DEFAULT = { id: 'default' };

/** `url`: with `/v3` at its end. */
export async function administer(url: string): Promise<KeystoneAdmin> {
  async function send(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method, headers: { ...headers, ...type }, ...content });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { token: response.headers.get('x-subject-token') ?? '', document: text === '' ? null : JSON.parse(text) };
  }

  async function authenticate(method: string, credentials: unknown, scope?: Scope): Promise<string> {
    const identity = { methods: [method], [method]: credentials };
    const { token } = await send('POST', '/auth/tokens', {}, { auth: { identity, ...(scope && { scope }) } });
    return token;
  }

  const own = await authenticate(
    'password',
    { user: { name: 'admin', password: ADMIN_PASSWORD, domain: DEFAULT } },
    { project: { name: 'admin', domain: DEFAULT } },
  );
  const asAdmin = { 'x-auth-token': own };

  async function make(kind: string, properties: unknown): Promise<string> {
    const { document } = await send('POST', `/${kind}s`, asAdmin, { [kind]: properties });
    return Value.Parse(Made, document)[kind]?.id ?? '';
  }

  function logIn({ id, password }: Account, scope: Scope): Promise<string> {
    return authenticate('password', { user: { id, password } }, scope);
  }

  return {
    project: (name) => make('project', { name, domain_id: DEFAULT.id }),

    async role(name) {
      const { document } = await send('GET', `/roles?name=${name}`, asAdmin);
      const [known] = Value.Parse(Roles, document).roles;
      return known?.id ?? (await make('role', { name }));
    },

    async user(name) {
      const password = `of ${name}`;
      return { id: await make('user', { name, password, domain_id: DEFAULT.id }), name, password };
    },

    async grant({ id }, role, project) {
      await send('PUT', `/projects/${project}/users/${id}/roles/${role}`, asAdmin);
    },

    async grantInDomain({ id }, role) {
      await send('PUT', `/domains/${DEFAULT.id}/users/${id}/roles/${role}`, asAdmin);
    },

    async enable({ id }, enabled) {
      await send('PATCH', `/users/${id}`, asAdmin, { user: { enabled } });
    },

    logIn,

    async logInBriefly(user, project, seconds) {
      const headers = { 'x-auth-token': await logIn(user, inProject(project)) };
      const expires_at = new Date(Date.now() + seconds * 1_000).toISOString();
      const secret = 'of the credential';
      const wanted = { application_credential: { name: `until ${expires_at}`, secret, expires_at } };
      const { document } = await send('POST', `/users/${user.id}/application_credentials`, headers, wanted);
      const id = Value.Parse(Made, document)['application_credential']?.id;
      return authenticate('application_credential', { id, secret });
    },

    async revoke(token) {
      await send('DELETE', '/auth/tokens', { ...asAdmin, 'x-subject-token': token });
    },
  };
}
