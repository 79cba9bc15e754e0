import { randomUUID } from 'node:crypto';
import { type ApiToken, type ApiTokenSpec, isTokenExpired } from '../../model/api-token.ts';
import { hatobaError } from '../../model/errors.ts';
import { isUuidPrefix } from '../../model/ids.ts';
import { printTime } from '../../model/time.ts';
import type { Store } from '../../store/store.ts';
import type { Feed } from '../feed.ts';
import { tokenKey, tokenNameKey } from '../keys.ts';
import type { SerialQueue } from '../serial-queue.ts';
import type { TokenMirror } from './token-mirror.ts';
import { writeToken } from './token-record.ts';
import { hashSecret, isSecret, makeSecret } from './token-secret.ts';

/** A token that has just been made. */
export interface IssuedToken {
  readonly token: ApiToken;
  /** From which on it is taken. */
  readonly revision: number;
  /** Told this once, and kept nowhere. */
  readonly secret: string;
}

/** API tokens, in memory and in step with the store: one that is revoked anywhere is refused as soon as that is known. */
export interface Tokens {
  /** All, expired ones included, oldest first. */
  list(): readonly ApiToken[];
  /** By id, by name, or by unique beginning of an id, in this order. Errors: `token_not_found`, `token_ambiguous`. */
  find(reference: string): ApiToken;
  /** The token with that secret, which may have expired. */
  withSecret(secret: string): ApiToken | undefined;
  /** `createdBy`: the name of the caller. Errors: `token_name_taken`, `expiry_past`, `store_…`. */
  create(spec: ApiTokenSpec, createdBy: string): Promise<IssuedToken>;
  /** The revision from which on it is refused. Errors: `token_not_found`, `store_…`. */
  revoke(id: string): Promise<number>;
}

export interface TokensParts {
  readonly store: Store;
  readonly feed: Feed;
  readonly mirror: TokenMirror;
  readonly queue: SerialQueue;
}

export function createTokens({ store, feed, mirror, queue }: TokensParts): Tokens {
  /** Tokens never change, so a check fails only for a reason that deciding again would find, too. */
  async function issue(spec: ApiTokenSpec, createdBy: string): Promise<IssuedToken> {
    feed.refuseEnded();
    const now = printTime(Date.now());
    if (isTokenExpired(spec, now)) {
      throw hatobaError('expiry_past', { value: spec.expiresAt ?? '', now }, { field: 'expires_at' });
    }
    const secret = makeSecret();
    const token = Object.freeze({
      ...spec,
      id: randomUUID(),
      createdBy,
      createdAt: now,
      secretHash: hashSecret(secret),
    });
    const outcome = await store.commit({
      checks: [{ key: tokenNameKey(spec.name), revision: 0 }],
      puts: [
        { key: tokenNameKey(spec.name), value: JSON.stringify(token.id) },
        { key: tokenKey(token.id), value: writeToken(token) },
      ],
    });
    if (!outcome.committed) throw hatobaError('token_name_taken', { value: spec.name }, { field: 'name' });
    await feed.reached(outcome.revision);
    return { token, revision: outcome.revision, secret };
  }

  async function revoke(id: string): Promise<number> {
    feed.refuseEnded();
    const token = mirror.get(id);
    if (token === undefined) throw hatobaError('token_not_found', { value: id });
    const key = tokenKey(id);
    const outcome = await store.commit({
      checks: [{ key, revision: mirror.revisionOf(id) }],
      deletes: [key, tokenNameKey(token.name)],
    });
    if (!outcome.committed) throw hatobaError('token_not_found', { value: id });
    await feed.reached(outcome.revision);
    return outcome.revision;
  }

  return {
    list: () => mirror.all().toSorted(byAge),

    find(reference) {
      const exact = mirror.get(reference.toLowerCase()) ?? mirror.named(reference);
      if (exact !== undefined) return exact;
      const prefix = reference.toLowerCase();
      const [found, ...others] = isUuidPrefix(prefix) ? mirror.all().filter(({ id }) => id.startsWith(prefix)) : [];
      if (found === undefined) throw hatobaError('token_not_found', { value: reference });
      if (others.length === 0) return found;
      throw hatobaError('token_ambiguous', { value: reference, count: others.length + 1 });
    },

    // Found by its hash, of which a guess at the secret tells nothing: so there is nothing to be learnt from how
    // long this takes, as there would be from comparing the secret itself letter by letter.
    withSecret: (secret) => (isSecret(secret) ? mirror.withHash(hashSecret(secret)) : undefined),

    create: (spec, createdBy) => queue.run(() => issue(spec, createdBy)),
    revoke: (id) => queue.run(() => revoke(id)),
  };
}

/** Times of RFC 3339 in UTC with the same precision sort as texts; no two tokens have the same id. */
function byAge(a: ApiToken, b: ApiToken): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
