import type { HttpAnswer, HttpCall, HttpClient } from '../http-client.ts';
import { type Identity, parseToken } from './token-document.ts';
import { unavailable } from './unavailable.ts';

/** Who this service is to Keystone. */
export interface ServiceAccount {
  readonly username: string;
  readonly password: string;
  /** The name of the domain, as that of the project's. */
  readonly userDomain: string;
  readonly project: string;
  readonly projectDomain: string;
}

/** A token of this service's own. */
export interface OwnToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** What is used of Keystone's API v3. Error of both: `authentication_unavailable`. */
export interface IdentityApi {
  logIn(): Promise<OwnToken>;
  /**
   * Whom a token belongs to. `null`: Keystone knows no such token, or it is not valid any more; `own_refused`: it is
   * our own token, with which we ask, that is not valid.
   */
  check(token: string, own: string): Promise<Identity | null | 'own_refused'>;
}

/** `authUrl`: with or without `/v3` at its end. */
export function createIdentityApi(authUrl: string, account: ServiceAccount, http: HttpClient): IdentityApi {
  const url = new URL(authUrl);
  url.pathname = `${url.pathname.replace(/(?:\/v3)?\/*$/, '')}/v3/auth/tokens`;
  // The catalogue of services can be long, and nobody reads it here.
  url.search = '?nocatalog';

  async function exchange(call: Omit<HttpCall, 'url'>): Promise<HttpAnswer> {
    try {
      return await http.exchange({ ...call, url });
    } catch (error) {
      throw unavailable('Keystone does not answer', error);
    }
  }

  /** The answer itself stays out of the log: it may repeat the password or the token that was sent. */
  function surprise(reason: string, method: HttpCall['method'], status: number): Error {
    return unavailable(reason, new Error(`${method} ${url.href} was answered with HTTP status ${status}`));
  }

  return {
    async logIn() {
      const { status, headers, body } = await exchange({ method: 'POST', headers: {}, body: loginBody(account) });
      const token = headers['x-subject-token'];
      if (status === 401) throw surprise('Keystone does not accept the credentials of this service', 'POST', status);
      if (status !== 201 || typeof token !== 'string')
        throw surprise(`Keystone answers with ${status}`, 'POST', status);
      const { issuedAt, expiresAt } = parse(body);
      return { token, lifetimeMs: expiresAt - issuedAt };
    },

    async check(token, own) {
      const headers = { 'x-auth-token': own, 'x-subject-token': token };
      const { status, body } = await exchange({ method: 'GET', headers });
      switch (status) {
        case 200:
          return parse(body);
        case 404:
          return null;
        case 401:
          return 'own_refused';
        case 403:
          throw surprise('Keystone does not let this service check tokens', 'GET', status);
        default:
          throw surprise(`Keystone answers with ${status}`, 'GET', status);
      }
    },
  };
}

function parse(body: string): Identity {
  try {
    return parseToken(body);
  } catch (error) {
    throw unavailable('Keystone answers with something that is not a token', error);
  }
}

function loginBody({ username, password, userDomain, project, projectDomain }: ServiceAccount): unknown {
  const user = { name: username, password, domain: { name: userDomain } };
  return {
    auth: {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: project, domain: { name: projectDomain } } },
    },
  };
}
