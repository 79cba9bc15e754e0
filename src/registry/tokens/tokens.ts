import { randomUUID } from 'node:crypto';
import { type ApiToken, type ApiTokenSpec, isTokenExpired } from '../../model/api-token.ts';
import { hatobaError } from '../../model/errors.ts';
import { isUuidPrefix } from '../../model/ids.ts';
import { printTime } from '../../model/time.ts';
import type { Commit, Store } from '../../store/store.ts';
import type { Feed } from '../feed.ts';
import { tokenKey, tokenNameKey } from '../keys.ts';
import type { SerialQueue } from '../serial-queue.ts';
import type { TokenMirror } from './token-mirror.ts';
import { writeToken } from './token-record.ts';
import { hashSecret, isSecret, makeSecret } from './token-secret.ts';

/** How long a token is listed after it has expired, in ms. */
const KEPT_EXPIRED = 30 * 24 * 3_600_000;

/** How often one is decided again because somebody else's change came first. */
const MOST_ATTEMPTS = 20;

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
  /**
   * In the place of an expired one of that name; those that expired more than 30 days ago are forgotten with it.
   * `createdBy`: the name of the caller. Errors: `token_name_taken`, `expiry_past`, `store_…`.
   */
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
  /** The tokens that go when one with this name is made. Error: `token_name_taken`. */
  function outlivedBy(name: string, now: number): readonly ApiToken[] {
    const namesake = mirror.named(name);
    if (namesake !== undefined && !isTokenExpired(namesake, printTime(now))) throw taken(name);
    const outlived = mirror.all().filter((token) => isTokenExpired(token, printTime(now - KEPT_EXPIRED)));
    return Array.from(new Set([...outlived, ...(namesake === undefined ? [] : [namesake])]));
  }

  function issueCommit(token: ApiToken, outlived: readonly ApiToken[]): Commit {
    const nameKey = tokenNameKey(token.name);
    // A token and its name are written by one commit, so they have one revision.
    const namesake = outlived.find(({ name }) => name === token.name);
    const others = outlived.filter((one) => one !== namesake).map(({ name }) => tokenNameKey(name));
    return {
      checks: [
        { key: nameKey, revision: namesake === undefined ? 0 : mirror.revisionOf(namesake.id) },
        ...outlived.map(({ id }) => ({ key: tokenKey(id), revision: mirror.revisionOf(id) })),
      ],
      puts: [
        { key: nameKey, value: JSON.stringify(token.id) },
        { key: tokenKey(token.id), value: writeToken(token) },
      ],
      deletes: [...outlived.map(({ id }) => tokenKey(id)), ...others],
    };
  }

  /** Decided again where another node has made or revoked one of these tokens meanwhile. Error: `token_name_taken`. */
  async function write(token: ApiToken, now: number): Promise<number> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const outcome = await store.commit(issueCommit(token, outlivedBy(token.name, now)));
      if (outcome.committed) return outcome.revision;
      await feed.reached((await store.read(outcome.failed.key)).revision);
    }
    throw taken(token.name);
  }

  async function issue(spec: ApiTokenSpec, createdBy: string): Promise<IssuedToken> {
    feed.refuseEnded();
    const time = Date.now();
    const now = printTime(time);
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
    const revision = await write(token, time);
    await feed.reached(revision);
    return { token, revision, secret };
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

function taken(name: string): Error {
  return hatobaError('token_name_taken', { value: name }, { field: 'name' });
}

/** Times of RFC 3339 in UTC with the same precision sort as texts; no two tokens have the same id. */
function byAge(a: ApiToken, b: ApiToken): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
