import { readFile } from 'node:fs/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { problemResponses } from './problem.ts';

const DOCUMENT = new URL('../../openapi.json', import.meta.url);

const schema = {
  operationId: 'getOpenApi',
  summary: 'This description',
  tags: ['daemon'],
  response: { 200: Type.Unknown({ description: 'OpenAPI 3.1' }), ...problemResponses },
};

/** The API's description, which is kept in step with the routes by a test. */
export const openapi: FastifyPluginCallbackTypebox = (api, _options, done) => {
  let document: Promise<string> | null = null;

  api.get('/openapi.json', { schema, config: { access: 'public' } }, async (_request, reply) => {
    document ??= readDocument();
    return reply.type('application/json; charset=utf-8').send(await document);
  });
  done();
};

/** As a text, since it is long, and anybody may ask for it. */
async function readDocument(): Promise<string> {
  return JSON.stringify(JSON.parse(await readFile(DOCUMENT, 'utf8')));
}
