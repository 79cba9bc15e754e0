import { readFileSync, writeFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { openBench } from './api-under-test.ts';
import { describeApi } from './openapi-document.ts';

const FILE = 'openapi.json';
const document = await describeApi();
const text = `${JSON.stringify(document, null, 2)}\n`;
if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text);

interface Body {
  readonly schema: { readonly $ref?: string };
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: { readonly content: Record<string, Body> };
}

const { paths, components } = JSON.parse(text);
const operations: readonly (readonly [string, Operation])[] = Object.entries<Record<string, Operation>>(paths).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
);

test('openapi.json is as the routes are', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});

test('it is valid', async () => {
  expect(await new Validator().validate(JSON.parse(text))).toMatchObject({ valid: true });
});

test('every operation has a name of its own, a summary and a tag', () => {
  for (const [route, operation] of operations) {
    expect(operation, route).toMatchObject({ operationId: expect.any(String), summary: expect.any(String) });
    expect(operation.tags, route).toHaveLength(1);
  }
  expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
});

test('every body has a name and examples that fit', () => {
  const ajv = new Ajv2020({ strict: false });
  for (const [route, { requestBody }] of operations) {
    if (requestBody === undefined) continue;
    const { schema, example, examples: named = {} } = requestBody.content['application/json'] ?? {};
    const reference = schema?.$ref ?? '';
    expect(reference, route).toMatch(/^#\/components\/schemas\/\w+$/);
    const examples = example === undefined ? Object.values(named).map(({ value }) => value) : [example];
    expect(examples.length, route).toBeGreaterThan(0);
    const validate = ajv.compile({ $ref: reference, components });
    for (const example of examples)
      expect(validate(example), `${route}: ${ajv.errorsText(validate.errors)}`).toBe(true);
  }
});

test('every path is one of those that the page describes', () => {
  const page = readFileSync('docs/api.md', 'utf8');
  const described = new Set(
    Array.from(page.matchAll(/^\| `([A-Z]+) (\/[^`]*)` \|/gm), ([, method, path]) => `${method} ${path}`),
  );
  const served = operations.map(([route]) => route.replace(/^\w+/, (method) => method.toUpperCase()));
  expect([...described].sort()).toEqual(served.sort());
});

test('it is served', async () => {
  await using bench = await openBench();
  const answer = await bench.api.inject('/openapi.json');
  expect(answer.json()).toEqual(JSON.parse(text));
});
