import { hatobaError, reasonOf } from '../model/errors.ts';

/** The guards with which records are read; each throws a plain error that says what is missing. */

export type Fields = Readonly<Record<string, unknown>>;

/** Reads a stored value; whatever is wrong with it comes out as `store_unreadable` with the key. */
export function readRecord<Value>(key: string, value: string, read: (fields: Fields) => Value): Value {
  try {
    const parsed: unknown = JSON.parse(value);
    return read(fieldsOf(parsed));
  } catch (error) {
    throw hatobaError('store_unreadable', { file: `record ${key}`, reason: reasonOf(error) }, { cause: error });
  }
}

export function fieldsOf(value: unknown): Fields {
  if (!isFields(value)) throw new TypeError('it is not an object');
  return value;
}

export function textField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new TypeError(`${name} is not a text`);
  return value;
}

export function textOrNullField(fields: Fields, name: string): string | null {
  return fields[name] === null ? null : textField(fields, name);
}

export function countField(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new TypeError(`${name} is no count`);
  return value;
}

export function booleanField(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw new TypeError(`${name} is neither true nor false`);
  return value;
}

export function textsField(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (!isTexts(value)) throw new TypeError(`${name} is not a list of texts`);
  return value;
}

/** Every value of the object `name`, read by `read`. */
export function mapField<Value>(
  fields: Fields,
  name: string,
  read: (fields: Fields, key: string) => Value,
): Readonly<Record<string, Value>> {
  const inner = fieldsOf(fields[name]);
  return Object.fromEntries(Object.keys(inner).map((key) => [key, read(inner, key)]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
