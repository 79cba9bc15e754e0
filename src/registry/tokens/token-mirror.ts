import type { ApiToken } from '../../model/api-token.ts';
import type { KeyChange, Mirror } from '../feed.ts';
import { TOKENS, tokenKey } from '../keys.ts';
import { readToken } from './token-record.ts';

/** All API tokens, as of one revision. */
export interface TokenMirror extends Mirror {
  get(id: string): ApiToken | undefined;
  named(name: string): ApiToken | undefined;
  withHash(secretHash: string): ApiToken | undefined;
  /** In no order. */
  all(): readonly ApiToken[];
  /** Of the commit that made it; 0: there is no such token. */
  revisionOf(id: string): number;
}

export function createTokenMirror(): TokenMirror {
  const tokens = new Map<string, ApiToken>();
  const revisions = new Map<string, number>();
  const names = new Map<string, ApiToken>();
  const hashes = new Map<string, ApiToken>();

  function forget(key: string): void {
    const token = tokens.get(key);
    tokens.delete(key);
    revisions.delete(key);
    if (token === undefined) return;
    hashes.delete(token.secretHash);
    // Where changes come late, another token may have taken the name in the meantime.
    if (names.get(token.name) === token) names.delete(token.name);
  }

  function applyToken({ key, value, revision }: KeyChange): void {
    forget(key);
    if (value === null) return;
    const token = readToken(key, value);
    tokens.set(key, token);
    revisions.set(key, revision);
    names.set(token.name, token);
    hashes.set(token.secretHash, token);
  }

  return {
    get: (id) => tokens.get(tokenKey(id)),
    named: (name) => names.get(name),
    withHash: (secretHash) => hashes.get(secretHash),
    all: () => Array.from(tokens.values()),
    revisionOf: (id) => revisions.get(tokenKey(id)) ?? 0,

    apply(changes) {
      for (const change of changes) if (change.key.startsWith(TOKENS)) applyToken(change);
      return () => undefined;
    },

    known: () => revisions,
  };
}
