/** Whether a value has the shape of `Value`, as far as a client relies on it: keys that it does not know may be there, too. */
export type Guard<Value> = (value: unknown) => value is Value;

/** What a guard lets through. */
export type Guarded<Check> = Check extends Guard<infer Value> ? Value : never;

export const text: Guard<string> = (value) => typeof value === 'string';
export const count: Guard<number> = (value) => typeof value === 'number';
export const flag: Guard<boolean> = (value) => typeof value === 'boolean';
export const nothing: Guard<undefined> = (value) => value === undefined;
export const anything: Guard<unknown> = (_value): _value is unknown => true;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function record<Shape extends Readonly<Record<string, Guard<unknown>>>>(
  shape: Shape,
): Guard<{ readonly [Key in keyof Shape]: Guarded<Shape[Key]> }> {
  const fields = Object.entries(shape);
  return (value): value is { readonly [Key in keyof Shape]: Guarded<Shape[Key]> } => {
    return isRecord(value) && fields.every(([key, guard]) => guard(value[key]));
  };
}

export function list<Value>(guard: Guard<Value>): Guard<readonly Value[]> {
  return (value): value is readonly Value[] => Array.isArray(value) && value.every(guard);
}

export function dictionary<Value>(guard: Guard<Value>): Guard<Readonly<Record<string, Value>>> {
  return (value): value is Readonly<Record<string, Value>> => isRecord(value) && Object.values(value).every(guard);
}

export function nullable<Value>(guard: Guard<Value>): Guard<Value | null> {
  return (value): value is Value | null => value === null || guard(value);
}

/** Of a key that may be left out. */
export function optional<Value>(guard: Guard<Value>): Guard<Value | undefined> {
  return (value): value is Value | undefined => value === undefined || guard(value);
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Guard<Value> {
  return (value): value is Value => values.some((known) => known === value);
}
