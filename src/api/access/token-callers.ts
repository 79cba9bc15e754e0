import type { IncomingHttpHeaders } from 'node:http';
import { callerOfToken, isTokenExpired } from '../../model/api-token.ts';
import type { Caller } from '../../model/caller.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import { printTime } from '../../model/time.ts';
import { looksLikeSecret } from '../../registry/tokens/token-secret.ts';
import type { Tokens } from '../../registry/tokens/tokens.ts';
import type { Authenticate } from './guard.ts';
import { createFailureLimit, type FailureLimit } from './limits.ts';

/** Whom a token that is none of ours belongs to; `null`: to nobody. It may ask others, and so throw their errors. */
export type Identify = (token: string) => Promise<Caller | null>;

/**
 * Whoever brings a token: one of ours, or (`others`) somebody else's. No error quotes it, since what is refused here may
 * well be a password elsewhere. Where too many tokens that are not valid have come from an address, a valid one of ours is
 * taken all the same: looking it up costs next to nothing; others are not asked. Errors: `not_authenticated`,
 * `too_many_requests`, those of `others`.
 */
export function authenticateByToken(
  tokens: Tokens,
  others: Identify | null,
  failures: FailureLimit = createFailureLimit(),
): Authenticate {
  return async (request) => {
    const askOthers = async (token: string): Promise<Caller | null> => {
      if (others !== null) failures.refuse(request);
      return others === null ? null : others(token);
    };
    try {
      return await identify(request.headers, tokens, askOthers);
    } catch (error) {
      if (error instanceof HatobaError && error.code === 'not_authenticated') failures.count(request);
      throw error;
    }
  };
}

async function identify(headers: IncomingHttpHeaders, tokens: Tokens, others: Identify): Promise<Caller> {
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
