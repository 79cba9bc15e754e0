import type { Caller } from '../../model/caller.ts';
import { createHttpClient } from '../http-client.ts';
import { createIdentityApi, type ServiceAccount } from './identity-api.ts';
import { callerOf, type RoleNames } from './keystone-caller.ts';
import { createKnownTokens } from './known-tokens.ts';
import { createOwnTokenKeeper } from './own-token.ts';
import type { Identity } from './token-document.ts';
import { unavailable } from './unavailable.ts';

const TIMEOUT_MS = 10_000;

/** What can be a token; anything else is none, and Keystone is not asked. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

export interface KeystoneOptions {
  /** http or https, with or without `/v3` at its end. */
  readonly authUrl: string;
  readonly account: ServiceAccount;
  /** Authorities (PEM) that Keystone's certificate is checked against; `null`: those that Node brings along. */
  readonly ca: string | null;
  /** How old what is known of a token may be. */
  readonly cacheSeconds: number;
  readonly roleNames: RoleNames;
  /** How long Keystone has for an answer. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Hears when tokens can no longer be checked, with the reason, and when they can again (`null`). */
  readonly onAvailability?: (trouble: unknown) => void;
}

export interface Keystone {
  /**
   * Who has this token; `null`: it is not, or no longer, a valid one. No error quotes it. Errors:
   * `authentication_unavailable`, `roles_useless`, `token_unscoped`.
   */
  identify(token: string): Promise<Caller | null>;
  /** As far as that is known without asking; `undefined`: it is not. Errors: `roles_useless`, `token_unscoped`. */
  known(token: string): Caller | null | undefined;
  /** A token of the account of this service itself. Error: `authentication_unavailable`. */
  ownToken(): Promise<string>;
  /** Waits for no answer any more. */
  close(): void;
}

/** Asks nobody until there is a token to be checked, so Keystone may come later than we do. */
export function createKeystone(options: KeystoneOptions): Keystone {
  const { authUrl, account, ca, cacheSeconds, roleNames, timeoutMs = TIMEOUT_MS } = options;
  const { onAvailability = () => {} } = options;
  const http = createHttpClient({ ca, timeoutMs });
  const api = createIdentityApi(authUrl, account, http);
  const own = createOwnTokenKeeper(() => api.logIn());
  const known = createKnownTokens(checkAndTell, cacheSeconds * 1_000);
  let available = true;

  async function checkAndTell(token: string): Promise<Identity | null> {
    try {
      const identity = await check(token);
      if (!available) onAvailability(null);
      available = true;
      return identity;
    } catch (error) {
      if (available) onAvailability(error);
      available = false;
      throw error;
    }
  }

  /** Our own token may have been revoked as well, or Keystone may have other keys now. */
  async function check(token: string): Promise<Identity | null> {
    const first = await own.get();
    const answer = await api.check(token, first);
    if (answer !== 'own_refused') return answer;
    own.refused(first);
    const second = await api.check(token, await own.get());
    if (second === 'own_refused') throw unavailable('Keystone refuses the token that it gave this service', undefined);
    return second;
  }

  return {
    async identify(token) {
      const identity = TOKEN.test(token) ? await known.identityOf(token) : null;
      return identity && callerOf(identity, roleNames);
    },
    known(token) {
      const identity = TOKEN.test(token) ? known.known(token) : null;
      return identity && callerOf(identity, roleNames);
    },
    ownToken: () => own.get(),
    close: () => http.close(),
  };
}
