/** Whether a value has the shape of `Value`, as far as the command line relies on it. */
export type Guard<Value> = (value: unknown) => value is Value;

type Guarded<Check> = Check extends Guard<infer Value> ? Value : never;

export const text: Guard<string> = (value) => typeof value === 'string';
export const count: Guard<number> = (value) => typeof value === 'number';
export const flag: Guard<boolean> = (value) => typeof value === 'boolean';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function record<Shape extends Readonly<Record<string, Guard<unknown>>>>(
  shape: Shape,
): Guard<{ [Key in keyof Shape]: Guarded<Shape[Key]> }> {
  const fields = Object.entries(shape);
  return (value): value is { [Key in keyof Shape]: Guarded<Shape[Key]> } => {
    return isRecord(value) && fields.every(([key, guard]) => guard(value[key]));
  };
}

export function list<Value>(guard: Guard<Value>): Guard<Value[]> {
  return (value): value is Value[] => Array.isArray(value) && value.every(guard);
}

export function dictionary<Value>(guard: Guard<Value>): Guard<Record<string, Value>> {
  return (value): value is Record<string, Value> => isRecord(value) && Object.values(value).every(guard);
}

export function nullable<Value>(guard: Guard<Value>): Guard<Value | null> {
  return (value): value is Value | null => value === null || guard(value);
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Guard<Value> {
  return (value): value is Value => values.some((known) => known === value);
}
