import { dictionary, flag, type Guarded, isRecord, list, optional, record, text } from '../src/client/guards.ts';
import { type Field, formOf, referencesIn, type Schema } from './client-schemas.ts';

const isContent = dictionary(record({ schema: isRecord }));
const isParameter = record({ name: text, in: text, required: optional(flag), schema: isRecord });
const isOperation = record({
  operationId: text,
  summary: text,
  parameters: optional(list(isParameter)),
  requestBody: optional(record({ content: isContent })),
  responses: dictionary(record({ content: optional(isContent) })),
});
const isDescription = record({
  paths: dictionary(dictionary(isOperation)),
  components: record({ schemas: dictionary(isRecord) }),
});

type Described = Guarded<typeof isOperation>;

interface Operation extends Omit<Described, 'responses' | 'requestBody'> {
  readonly method: string;
  readonly path: string;
  readonly body: Schema | null;
  /** Null: none. */
  readonly answer: Schema | null;
}

const HEAD = '// Made from openapi.json by scripts/client-text.ts; test/client/operations.test.ts writes it anew.\n';

const GUARDS = [
  'anything',
  'count',
  'dictionary',
  'flag',
  'list',
  'nothing',
  'nullable',
  'oneOf',
  'optional',
  'record',
  'text',
];

/**
 * The client's operations as TypeScript, from the API's description: all of \`/v1\` that answer with JSON or nothing. What an
 * answer holds is a guard, and its type follows from that; what only requests hold is a type. The text is not formatted.
 */
export function printOperations(description: unknown): string {
  if (!isDescription(description)) throw new Error('that is no description of our API');
  const { schemas } = description.components;
  const operations = readOperations(description.paths);
  const answered = closureOf(
    operations.map(({ answer }) => answer),
    schemas,
  );
  const asked = closureOf(
    operations.map(({ body }) => body),
    schemas,
  ).filter((name) => !answered.includes(name));
  const text = [
    ...answered.flatMap((name) => printGuard(name, schemas[name] ?? {})),
    ...asked.map((name) => `export interface ${name} ${typeText(schemas[name] ?? {})}\n`),
    '/** What each operation takes and gives. In a query a number may be a text, as somebody wrote it. */',
    `export interface Operations {\n${operations.map(printTypes).join('\n')}}\n`,
    'type Table = { readonly [Id in keyof Operations]: Operation<Operations[Id]["answer"]> };\n',
    `export const OPERATIONS: Table = {${operations.map(printOperation).join('\n')}};`,
  ].join('\n');
  const guards = GUARDS.filter((name) => new RegExp(`\\b${name}[(),]`).test(text));
  return `${HEAD}
import { type Guarded, ${guards.join(', ')} } from './guards.ts';
import type { Operation } from './operation.ts';

${text}`;
}

function readOperations(paths: Guarded<typeof isDescription>['paths']): readonly Operation[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  );
  return all
    .filter(({ path }) => path.startsWith('/v1/'))
    .flatMap(({ responses, requestBody, ...operation }) => {
      const content = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content;
      const answer = content === undefined ? null : content['application/json']?.schema;
      const body = requestBody?.content['application/json']?.schema ?? null;
      // Others, such as streams of events, are not taken as a whole.
      return answer === undefined ? [] : [{ ...operation, body, answer }];
    });
}

/** The names of the schemas in these and in those that they refer to; what is referred to comes first. */
function closureOf(roots: readonly (Schema | null)[], schemas: Readonly<Record<string, Schema>>): readonly string[] {
  const found = new Set<string>();
  const visit = (schema: unknown): void => {
    for (const name of referencesIn(schema)) {
      if (found.has(name)) continue;
      visit(schemas[name]);
      found.add(name);
    }
  };
  roots.forEach(visit);
  return [...found];
}

function printGuard(name: string, schema: Schema): readonly string[] {
  const guard = `is${name}`;
  return [`export const ${guard} = ${guardText(schema)};`, `export type ${name} = Guarded<typeof ${guard}>;\n`];
}

function printTypes({ operationId, summary, parameters = [], body, answer }: Operation): string {
  const types = parameters.map(({ name, required = false, schema, in: place }) => {
    const type = place === 'query' && isNumber(schema) ? 'number | string' : typeText(schema);
    return printField({ name, schema, isRequired: required }, type);
  });
  return [
    `/** ${summary}. */\nreadonly ${operationId}: {`,
    `  readonly parameters: ${types.length === 0 ? 'Record<string, never>' : `{\n${types.join('')}}`};`,
    `  readonly body: ${body === null ? 'undefined' : typeText(body)};`,
    `  readonly answer: ${answer === null ? 'undefined' : typeText(answer)};`,
    '};',
  ].join('\n');
}

function isNumber(schema: Schema): boolean {
  const form = formOf(schema);
  return form.kind === 'plain' && form.type === 'number';
}

function printOperation({ operationId, method, path, parameters = [], answer }: Operation): string {
  const names = (place: string) => parameters.filter((each) => each.in === place).map(({ name }) => `'${name}'`);
  return `${operationId}: {
    method: '${method}',
    path: '${path}',
    query: [${names('query').join(', ')}],
    headers: [${names('header').join(', ')}],
    answer: ${answer === null ? 'nothing' : guardText(answer)},
  },`;
}

function guardText(schema: Schema): string {
  const form = formOf(schema);
  switch (form.kind) {
    case 'reference':
      return `is${form.name}`;
    case 'nullable':
      return `nullable(${guardText(form.inner)})`;
    case 'either':
      throw new Error(`no answer may be of several types: ${form.types.join()}`);
    case 'enum':
      return `oneOf(${form.values.map((value) => `'${value}'`).join(', ')})`;
    case 'list':
      return `list(${guardText(form.items)})`;
    case 'map':
      return `dictionary(${guardText(form.values)})`;
    case 'record':
      return `record({${form.fields.map(guardField).join('')}})`;
    case 'plain':
      return { text: 'text', number: 'count', boolean: 'flag', anything: 'anything' }[form.type];
  }
}

function guardField({ name, schema, isRequired }: Field): string {
  const guard = guardText(schema);
  return `${printComment(schema)}${name}: ${isRequired ? guard : `optional(${guard})`},\n`;
}

function typeText(schema: Schema): string {
  const form = formOf(schema);
  switch (form.kind) {
    case 'reference':
      return form.name;
    case 'nullable':
      return `${typeText(form.inner)} | null`;
    case 'either':
      return form.types.map((type) => typeText({ type })).join(' | ');
    case 'enum':
      return form.values.map((value) => `'${value}'`).join(' | ');
    case 'list':
      return `readonly (${typeText(form.items)})[]`;
    case 'map':
      return `Readonly<Record<string, ${typeText(form.values)}>>`;
    case 'record':
      return `{\n${form.fields.map((field) => printField(field, typeText(field.schema))).join('')}}`;
    case 'plain':
      return { text: 'string', number: 'number', boolean: 'boolean', anything: 'unknown' }[form.type];
  }
}

function printField({ name, schema, isRequired }: Field, type: string): string {
  return `${printComment(schema)}readonly '${name}'${isRequired ? '' : '?'}: ${type}${isRequired ? '' : ' | undefined'};\n`;
}

function printComment({ description }: Schema): string {
  return typeof description === 'string' ? `/** ${description} */\n` : '';
}
