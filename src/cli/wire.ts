// The one arrow from here to the API: its types, which leave nothing behind at run time.
import type {
  ForwardDocument,
  ForwardPage,
  ForwardRemoval,
  RouterDocument,
  RouterList,
  StatusDocument,
} from '../api/v1/types.ts';
import { isState } from './output/states.ts';

/** Whether a value has the shape of `Value`, as far as the command line relies on it. */
export type Guard<Value> = (value: unknown) => value is Value;

type Guarded<Check> = Check extends Guard<infer Value> ? Value : never;

const text: Guard<string> = (value) => typeof value === 'string';
const count: Guard<number> = (value) => typeof value === 'number';
const flag: Guard<boolean> = (value) => typeof value === 'boolean';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record<Shape extends Readonly<Record<string, Guard<unknown>>>>(
  shape: Shape,
): Guard<{ [Key in keyof Shape]: Guarded<Shape[Key]> }> {
  const fields = Object.entries(shape);
  return (value): value is { [Key in keyof Shape]: Guarded<Shape[Key]> } => {
    return isRecord(value) && fields.every(([key, guard]) => guard(value[key]));
  };
}

function list<Value>(guard: Guard<Value>): Guard<Value[]> {
  return (value): value is Value[] => Array.isArray(value) && value.every(guard);
}

function dictionary<Value>(guard: Guard<Value>): Guard<Record<string, Value>> {
  return (value): value is Record<string, Value> => isRecord(value) && Object.values(value).every(guard);
}

function nullable<Value>(guard: Guard<Value>): Guard<Value | null> {
  return (value): value is Value | null => value === null || guard(value);
}

export const isForward: Guard<ForwardDocument> = record({
  id: text,
  name: nullable(text),
  description: nullable(text),
  project_id: nullable(text),
  labels: dictionary(text),
  router: text,
  protocol: text,
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  enabled: flag,
  revision: count,
  created_at: text,
  updated_at: text,
  status: record({
    state: isState,
    message: nullable(text),
    nodes: list(
      record({
        node: text,
        state: isState,
        external_address: nullable(text),
        revision: count,
        at: text,
        message: nullable(text),
      }),
    ),
  }),
});

export const isForwardPage: Guard<ForwardPage> = record({ forwards: list(isForward), next: nullable(text) });

export const isForwardRemoval: Guard<ForwardRemoval> = record({ id: text, revision: count, applied: flag });

export const isRouter: Guard<RouterDocument> = record({
  id: text,
  gateways: list(text),
  forwards: count,
  nodes: list(
    record({
      node: text,
      instances: list(text),
      gateways: list(text),
      revision: count,
      at: text,
      error: nullable(text),
      problems: count,
    }),
  ),
});

export const isRouterList: Guard<RouterList> = record({ routers: list(isRouter) });

export const isStatus: Guard<StatusDocument> = record({
  version: text,
  node: text,
  roles: list(text),
  started_at: text,
  store: text,
  driver: nullable(text),
  revision: count,
  routers: count,
  forwards: record({ total: count, active: count, pending: count, waiting: count, disabled: count, error: count }),
});
