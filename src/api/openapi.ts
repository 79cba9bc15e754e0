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
  api.get('/openapi.json', { schema, config: { access: 'public' } }, async () =>
    JSON.parse(await readFile(DOCUMENT, 'utf8')),
  );
  done();
};
