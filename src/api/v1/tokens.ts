import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { type ApiToken, isTokenExpired, parseApiTokenSpec } from '../../model/api-token.ts';
import type { Caller } from '../../model/caller.ts';
import { printTime } from '../../model/time.ts';
import type { Tokens } from '../../registry/tokens/tokens.ts';
import { ADMIN } from '../access/access.ts';
import { problemResponses } from '../problem.ts';
import { withExpiry } from './expiry.ts';
import {
  IssuedTokenSchema,
  TokenCreateSchema,
  type TokenDocument,
  TokenListSchema,
  TokenParams,
  TokenRevocationSchema,
  TokenSchema,
} from './token-schemas.ts';

const listSchema = {
  operationId: 'listTokens',
  summary: 'List API tokens, oldest first',
  tags: ['tokens'],
  response: { 200: TokenListSchema, ...problemResponses },
};
const createSchema = {
  operationId: 'createToken',
  summary: 'Make an API token',
  tags: ['tokens'],
  body: TokenCreateSchema,
  response: { 201: IssuedTokenSchema, ...problemResponses },
};
const showSchema = {
  operationId: 'getToken',
  summary: 'Show an API token, but for its secret',
  tags: ['tokens'],
  params: TokenParams,
  response: { 200: TokenSchema, ...problemResponses },
};
const revokeSchema = {
  operationId: 'revokeToken',
  summary: 'Revoke an API token',
  tags: ['tokens'],
  params: TokenParams,
  response: { 200: TokenRevocationSchema, ...problemResponses },
};

/** For admins of all projects: whoever could make tokens for one project could make one with more rights than their own. */
export function tokens(tokensOf: (caller: Caller) => Tokens): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/tokens', { schema: listSchema, config: { access: ADMIN } }, ({ caller }) => {
      const tokens = tokensOf(caller);
      const now = printTime(Date.now());
      return { tokens: tokens.list().map((token) => printToken(token, now)) };
    });

    api.post('/tokens', { schema: createSchema, config: { access: ADMIN } }, async ({ caller, body }, reply) => {
      const tokens = tokensOf(caller);
      const { token, secret } = await tokens.create(parseApiTokenSpec(withExpiry(body)), caller.name);
      reply.code(201).headers({ location: `${api.prefix}/tokens/${token.id}`, 'cache-control': 'no-store' });
      return { ...printToken(token, token.createdAt), secret };
    });

    api.get('/tokens/:reference', { schema: showSchema, config: { access: ADMIN } }, ({ caller, params }) =>
      printToken(tokensOf(caller).find(params.reference), printTime(Date.now())),
    );

    api.delete(
      '/tokens/:reference',
      { schema: revokeSchema, config: { access: ADMIN } },
      async ({ caller, params }) => {
        const tokens = tokensOf(caller);
        const { id } = tokens.find(params.reference);
        return { id, revision: await tokens.revoke(id) };
      },
    );

    done();
  };
}

/** `now`: as `printTime` gives it. */
function printToken(token: ApiToken, now: string): TokenDocument {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    project: token.project,
    state: isTokenExpired(token, now) ? 'expired' : 'valid',
    expires_at: token.expiresAt,
    created_by: token.createdBy,
    created_at: token.createdAt,
  };
}
