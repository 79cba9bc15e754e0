import fc from 'fast-check';
import { oddTexts } from './oddities.ts';
import type { Schema } from './schema.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface ValueContext {
  readonly resolve: (schema: Schema) => Schema;
  readonly vocabulary: Vocabulary;
  readonly operation: string;
}

/** Values that fit the schema; where the field has a vocabulary, mostly of that. */
export function validValues(schema: Schema, field: string, context: ValueContext): fc.Arbitrary<unknown> {
  const any = bySchema(context.resolve(schema), field, context);
  const words = context.vocabulary(field, context.operation);
  if (words.length === 0) return any;
  return fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: any });
}

function bySchema(schema: Schema, field: string, context: ValueContext): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => validValues(one, field, context)));
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 });
  return fc.oneof(...types.map((type) => ofType(type, schema, context)));
}

function ofType(type: string, schema: Schema, context: ValueContext): fc.Arbitrary<unknown> {
  const { minimum: min = -65_536, maximum: max = 65_536 } = schema;
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min, max: Math.max(min, max) });
    case 'number':
      return fc.oneof(fc.integer({ min, max }), fc.double({ min, max, noNaN: true }));
    case 'string':
      return oddTexts;
    case 'array':
      return fc.array(validValues(schema.items ?? {}, '', context), { maxLength: 3 });
    case 'object':
      return objects(schema, context);
    default:
      throw new Error(`an unknown type ${type}`);
  }
}

function objects({ properties = {}, required = [], additionalProperties }: Schema, context: ValueContext) {
  const known = Object.entries(properties).map(([name, schema]): [string, fc.Arbitrary<unknown>] => {
    const values = validValues(schema, name, context);
    if (required.includes(name)) return [name, values];
    return [name, OFTEN.includes(name) ? seldom(values, 90) : seldom(values)];
  });
  const object = fc.record(Object.fromEntries(known));
  if (typeof additionalProperties !== 'object') return object;
  const more = fc.dictionary(oddTexts, validValues(additionalProperties, '', context), { maxKeys: 3 });
  return fc.tuple(object, more).map(([own, added]) => ({ ...added, ...own }));
}

/** Without a router, hardly anything is done where there are several. */
const OFTEN = ['router'];

/** In so many of a hundred; JSON leaves out what is undefined. */
export function seldom<Value>(values: fc.Arbitrary<Value>, percent = 25): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(undefined) }, { weight: percent, arbitrary: values });
}
