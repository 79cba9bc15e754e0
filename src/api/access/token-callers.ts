import type { IncomingHttpHeaders } from 'node:http';
import { callerOfToken, isTokenExpired } from '../../model/api-token.ts';
import type { Caller } from '../../model/caller.ts';
import { type HatobaError, hatobaError } from '../../model/errors.ts';
import { printTime } from '../../model/time.ts';
import { looksLikeSecret } from '../../registry/tokens/token-secret.ts';
import type { Tokens } from '../../registry/tokens/tokens.ts';
import type { Authenticate } from './guard.ts';
import { createFailureLimit, type FailureLimit } from './limits.ts';

/** Who knows whom tokens belong to that are none of ours; `null`: to nobody. Their errors are the request's. */
export interface TokenOwners {
  /** Without asking anybody; `undefined`: that is not known. */
  known(token: string): Caller | null | undefined;
  identify(token: string): Promise<Caller | null>;
}

/**
 * Whoever brings a token: one of ours, or (`others`) somebody else's. No error quotes it, since what is refused here may
 * well be a password elsewhere. Where too many tokens that are nobody's have come from an address, those of which it is known
 * whose they are, ours and others', are taken all the same; others are not asked. Errors: `not_authenticated`,
 * `too_many_requests`, those of `others`.
 */
export function authenticateByToken(
  tokens: Tokens,
  others: TokenOwners | null,
  failures: FailureLimit = createFailureLimit(),
): Authenticate {
  return (request) => {
    const ownerOf = async (token: string): Promise<Caller | null> => {
      if (others === null) return null;
      const known = others.known(token);
      if (known !== undefined) return known;
      failures.refuse(request);
      const owner = await others.identify(token);
      if (owner === null) failures.count(request);
      return owner;
    };
    return identify(request.headers, tokens, ownerOf);
  };
}

async function identify(
  headers: IncomingHttpHeaders,
  tokens: Tokens,
  others: (token: string) => Promise<Caller | null>,
): Promise<Caller> {
  const token = readToken(headers);
  const own = tokens.withSecret(token);
  if (own !== undefined) {
    if (isTokenExpired(own, printTime(Date.now()))) throw refusal(`the token ${own.name} has expired`);
    return callerOfToken(own);
  }
  const other = looksLikeSecret(token) ? null : await others(token);
  if (other === null) throw refusal('there is no such token, or it was revoked');
  return other;
}

/** `Authorization: Bearer TOKEN` (RFC 6750), or `X-Auth-Token: TOKEN` as OpenStack's clients have it. */
function readToken(headers: IncomingHttpHeaders): string {
  const { authorization, 'x-auth-token': plain } = headers;
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  // Another scheme is not for us: proxies on the way may have their own.
  const token = bearer ?? plain;
  if (typeof token === 'string' && token !== '') return token;
  if (authorization === undefined) throw refusal('there is no token in the request');
  throw refusal('the header Authorization is not of the form Bearer TOKEN');
}

function refusal(reason: string): HatobaError {
  return hatobaError('not_authenticated', { reason });
}
