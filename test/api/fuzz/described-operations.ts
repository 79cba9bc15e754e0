import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Method, Operation, Parameter, Schema } from './schema.ts';

interface Content {
  readonly [type: string]: { readonly schema: Schema };
}

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const METHODS: Readonly<Record<string, Method>> = {
  get: 'GET',
  post: 'POST',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

export interface ApiDescription {
  readonly operations: readonly Operation[];
  /** Behind the `$ref`s of schemas. */
  readonly resolve: (schema: Schema) => Schema;
  /** Why it is no problem document; `null`: it is one. */
  readonly problemMisfit: (body: unknown) => string | null;
}

/** Everything that openapi.json says can be asked. */
export function readDescription(): ApiDescription {
  const { paths, components }: OpenApi = JSON.parse(readFileSync('openapi.json', 'utf8'));
  const ajv = new Ajv2020({ strict: false });
  const misfitOf = (schema: Schema) => {
    const validate = ajv.compile({ ...schema, components });
    return (body: unknown) => (validate(body) ? null : ajv.errorsText(validate.errors));
  };

  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([name, described]): Operation => {
      const method = METHODS[name];
      if (method === undefined) throw new Error(`an unknown method ${name}`);
      const answers = new Map(
        Object.entries(described.responses).flatMap(([status, { content = {} }]) =>
          Object.values(content).map(({ schema }) => [status, misfitOf(schema)] as const),
        ),
      );
      return {
        id: described.operationId,
        method,
        path,
        parameters: described.parameters ?? [],
        body: described.requestBody?.content['application/json']?.schema ?? null,
        misfit: (status, body) => {
          const misfit = answers.get(String(status));
          return misfit === undefined ? `it is not said that it answers ${status}` : misfit(body);
        },
      };
    }),
  );

  return {
    operations,
    resolve: ({ $ref, ...schema }) => {
      const name = $ref?.replace('#/components/schemas/', '');
      return name === undefined ? schema : (components.schemas[name] ?? schema);
    },
    problemMisfit: misfitOf({ $ref: '#/components/schemas/Problem' }),
  };
}
