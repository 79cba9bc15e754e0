/** As much of JSON Schema as openapi.json has. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | null)[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Who a path, a query or a header is asked by, and how. */
export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: Schema;
  /** Of a query, what always comes with it. */
  readonly companion?: string;
}

/** Something that can be asked of the API. */
export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** With `{parameters}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** `null`: it takes none. */
  readonly body: Schema | null;
  /** Why the body of an answer with that status does not fit; `null`: it does. */
  readonly misfit: (status: number, body: unknown) => string | null;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** The operation that is at this path, if any. */
export function operationAt(operations: readonly Operation[], method: string, path: string): Operation | undefined {
  const parts = path.split('/');
  return operations.find((operation) => {
    const own = operation.path.split('/');
    return (
      operation.method === method &&
      own.length === parts.length &&
      own.every((part, index) => part === parts[index] || (part.startsWith('{') && parts[index] !== ''))
    );
  });
}
