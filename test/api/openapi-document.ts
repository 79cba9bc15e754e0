import swagger from '@fastify/swagger';
import { PROBLEM_TYPE } from '../../src/api/problem.ts';
import { openBench } from './api-under-test.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const INFO = {
  title: 'hatoba',
  version: '1',
  description: 'Port forwards on routers. docs/api.md describes it for people.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

/** The description of the API, made from the schemas that its routes check requests and print answers by. */
export async function describeApi(): Promise<Json> {
  await using bench = await openBench();
  const { api } = bench;
  // Not registered: its hook has to be there before the routes, which come with the plugins.
  await new Promise<void>((resolve, reject) => {
    const openapi = { openapi: '3.1.0', info: INFO, servers: [{ url: '/' }] };
    swagger(api, { openapi, transform: hideNeutron }, (error) => (error === undefined ? resolve() : reject(error)));
  });
  await api.ready();
  return withComponents(JSON.parse(JSON.stringify(api.swagger())));
}

/** Neutron's API is described by OpenStack. */
function hideNeutron<Schema>({ schema, url }: { schema: Schema; url: string }) {
  const isNeutron = url === '/' || url.startsWith('/v2.0');
  return { url, schema: isNeutron ? { ...schema, hide: true } : schema };
}

/** Every schema that has a title as a component of that name, referred to where it stood. */
function withComponents(document: Record<string, Json>): Json {
  const schemas: Record<string, Json> = {};
  const paths = hoist(document['paths'] ?? {}, schemas);
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths, components: { schemas: sorted } };
}

function hoist(value: Json, schemas: Record<string, Json>): Json {
  if (Array.isArray(value)) return value.map((item) => hoist(item, schemas));
  if (!isObject(value)) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hoist(item, schemas)]));
  const { title, ...schema } = inner;
  if (typeof title !== 'string' || schema['type'] !== 'object') return withProblemType(inner);
  const known = schemas[title];
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas ${title}`);
  schemas[title] = schema;
  return { $ref: `#/components/schemas/${title}` };
}

/** Problems have a content type of their own, whatever the route answers otherwise; the schemas do not tell. */
function withProblemType(response: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  const { content, ...rest } = response;
  if (content === undefined || !isObject(content)) return response;
  const problem = Object.values(content).find((body) =>
    JSON.stringify(body).includes('"#/components/schemas/Problem"'),
  );
  return problem === undefined ? response : { ...rest, content: { [PROBLEM_TYPE]: problem } };
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
