import { isRecord } from '../src/client/guards.ts';

/** A JSON schema in one of the few forms that the API's description uses. */
export type Schema = Readonly<Record<string, unknown>>;

/** The forms, told apart. */
export type Form =
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'nullable'; readonly inner: Schema }
  | { readonly kind: 'either'; readonly types: readonly string[] }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'plain'; readonly type: 'text' | 'number' | 'boolean' | 'anything' }
  | { readonly kind: 'list'; readonly items: Schema }
  | { readonly kind: 'map'; readonly values: Schema }
  | { readonly kind: 'record'; readonly fields: readonly Field[] };

export interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

const REFERENCE = '#/components/schemas/';

/** Error: a schema of another form, which then has to be learnt here. */
export function formOf(schema: Schema): Form {
  const { $ref, anyOf, type, enum: values } = schema;
  if (typeof $ref === 'string') return { kind: 'reference', name: $ref.slice(REFERENCE.length) };
  if (Array.isArray(anyOf)) return formOfUnion(anyOf.filter(isRecord), schema);
  if (Array.isArray(type)) return formOfTypes(type.map(String), schema);
  if (Array.isArray(values)) return { kind: 'enum', values: values.map(String) };
  switch (type) {
    case undefined:
      return { kind: 'plain', type: 'anything' };
    case 'string':
      return { kind: 'plain', type: 'text' };
    case 'integer':
    case 'number':
      return { kind: 'plain', type: 'number' };
    case 'boolean':
      return { kind: 'plain', type: 'boolean' };
    case 'array':
      return { kind: 'list', items: isRecord(schema['items']) ? schema['items'] : {} };
    case 'object':
      return formOfObject(schema);
    default:
      throw unknown(schema);
  }
}

function formOfUnion(schemas: readonly Schema[], union: Schema): Form {
  const [inner, ...others] = schemas.filter(({ type }) => type !== 'null');
  if (inner === undefined || others.length > 0) throw unknown(union);
  return { kind: 'nullable', inner };
}

function formOfTypes(types: readonly string[], schema: Schema): Form {
  const [type, ...others] = types.filter((each) => each !== 'null');
  if (others.length > 0) return { kind: 'either', types };
  const { enum: values, ...rest } = schema;
  const named = Array.isArray(values) ? { enum: values.filter((value) => value !== null) } : {};
  return { kind: 'nullable', inner: { ...rest, ...named, type } };
}

function formOfObject({ properties, required, additionalProperties }: Schema): Form {
  if (!isRecord(properties)) {
    return { kind: 'map', values: isRecord(additionalProperties) ? additionalProperties : {} };
  }
  const names = Array.isArray(required) ? required : [];
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    schema: isRecord(schema) ? schema : {},
    isRequired: names.includes(name),
  }));
  return { kind: 'record', fields };
}

/** The names of all schemas that this one refers to, itself. */
export function referencesIn(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(referencesIn);
  if (!isRecord(schema)) return [];
  const { $ref, ...rest } = schema;
  const own = typeof $ref === 'string' ? [$ref.slice(REFERENCE.length)] : [];
  return [...own, ...Object.values(rest).flatMap(referencesIn)];
}

function unknown(schema: Schema): Error {
  return new Error(`no client can be made for the schema ${JSON.stringify(schema)}`);
}
