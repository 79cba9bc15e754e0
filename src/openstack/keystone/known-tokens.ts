import { hash } from 'node:crypto';
import { createExpiringMap } from '../expiring-map.ts';
import type { Identity } from './token-document.ts';
import { unavailable } from './unavailable.ts';

/** Of how many tokens it is known that they are valid, and of how many that they are not. */
const MOST_KNOWN = 10_000;

/** Whoever has a token that is not valid does not become the owner of a valid one by waiting. */
const LONGEST_REFUSAL_MS = 5_000;

/** So many tokens are being checked at a time. */
const MOST_CHECKS = 100;

export interface KnownTokens {
  /** What is remembered; `undefined`: nothing. */
  known(token: string): Identity | null | undefined;
  /** `null`: not a valid token. Rejects as `check` does, or with `authentication_unavailable`. */
  identityOf(token: string): Promise<Identity | null>;
}

/**
 * Remembers what `check` has said for `rememberedMs`, counted from when it was asked, so that a token that is revoked
 * is refused after that time at the latest; for no longer than the token is valid; and errors not at all. Tokens that are
 * not valid are remembered apart, so that no flood of them pushes out those that are. One check at a time serves all who ask
 * about the same token. No token is kept, but its hash.
 */
export function createKnownTokens(
  check: (token: string) => Promise<Identity | null>,
  rememberedMs: number,
): KnownTokens {
  const valid = createExpiringMap<Identity>(MOST_KNOWN);
  const refused = createExpiringMap<null>(MOST_KNOWN);
  const checks = new Map<string, Promise<Identity | null>>();

  async function learn(key: string, token: string): Promise<Identity | null> {
    const asked = performance.now();
    try {
      const identity = await check(token);
      if (identity === null) refused.set(key, null, asked + Math.min(rememberedMs, LONGEST_REFUSAL_MS));
      else
        valid.set(key, identity, Math.min(asked + rememberedMs, performance.now() + identity.expiresAt - Date.now()));
      return identity;
    } finally {
      checks.delete(key);
    }
  }

  const knownByKey = (key: string) => valid.get(key) ?? refused.get(key);

  return {
    known: (token) => knownByKey(hash('sha256', token)),

    async identityOf(token) {
      const key = hash('sha256', token);
      const known = knownByKey(key);
      if (known !== undefined) return known;
      const running = checks.get(key);
      if (running !== undefined) return running;
      if (checks.size >= MOST_CHECKS) throw unavailable('too many tokens are being checked', undefined);
      const begun = learn(key, token);
      checks.set(key, begun);
      return begun;
    },
  };
}
