import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printOperations } from '../../scripts/client-text.ts';

const FILE = 'src/client/operations.ts';

/** As `biome check --write` would leave it. */
function formatted(text: string): string {
  const words = ['check', '--write', '--colors=off', `--stdin-file-path=${FILE}`];
  return execFileSync('node_modules/.bin/biome', words, { input: text, encoding: 'utf8' });
}

const printed = formatted(printOperations(JSON.parse(readFileSync('openapi.json', 'utf8'))));
if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, printed);

test('the operations are those of openapi.json', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(printed);
});

const ok = (schema: object) => ({ 200: { content: { 'application/json': { schema } } } });
const get = (operationId: string, responses: object) => ({ get: { operationId, summary: 'Do', responses } });

/** What is printed of a description with one operation that answers so. */
function print(schema: object, schemas: object = {}): string {
  return printOperations({ paths: { '/v1/x': get('getX', ok(schema)) }, components: { schemas } });
}

test('a schema comes after those that it refers to', () => {
  const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const outer = { type: 'object', required: ['a'], properties: { a: reference('Inner'), b: reference('Inner') } };
  const text = formatted(print(reference('Outer'), { Outer: outer, Inner: { type: 'boolean' } }));
  expect(text).toContain('export const isInner = flag;');
  expect(text).toContain('export const isOuter = record({ a: isInner, b: optional(isInner) });');
  expect(text.indexOf('isInner =')).toBeLessThan(text.indexOf('isOuter ='));
});

test.each([{ type: 'tuple' }, { anyOf: [{ type: 'string' }, { type: 'boolean' }] }, { type: ['string', 'number'] }])(
  'no guard is made up for a schema %j',
  (schema) => {
    expect(() => print(schema)).toThrow(/no (client|answer)/);
  },
);

test('what answers with nothing has no answer, and what answers with a stream is left out', () => {
  const stream = { 200: { content: { 'text/event-stream': { schema: { type: 'string' } } } } };
  const paths = { '/v1/x': get('dropX', { 204: {} }), '/v1/y': get('followY', stream), '/z': get('getZ', ok({})) };
  const text = printOperations({ paths, components: { schemas: {} } });
  expect(text).toContain('answer: nothing');
  expect(text).not.toMatch(/followY|getZ/);
});
