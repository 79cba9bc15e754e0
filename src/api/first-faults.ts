import { IsArray, IsObject, IsRecord, type TArray, type TObject, type TRecord, type TSchema } from 'typebox';
import { Check } from 'typebox/value';

/**
 * The value with no more in each of its lists and records than the first thing there that does not fit, at its place.
 * typebox looks for errors in all that there is, however many it has found, and keeps something for each: a megabyte of
 * wrong items would hold up everybody for seconds, and take hundreds of megabytes.
 */
export function onlyFirstFaults(schema: TSchema, value: unknown): unknown {
  if (IsArray(schema)) return Array.isArray(value) ? faultOfList(schema, value) : value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (IsRecord(schema)) return Object.fromEntries(faultOfRecord(schema, entries));
  return IsObject(schema) ? Object.fromEntries(faultsOfObject(schema, entries)) : value;
}

/** What comes before it is left out, and not there: nobody looks at holes. */
function faultOfList({ items }: TArray, value: readonly unknown[]): readonly unknown[] {
  const at = value.findIndex((item) => !Check(items, item));
  const only: unknown[] = [];
  if (at !== -1) only[at] = onlyFirstFaults(items, value[at]);
  return only;
}

type Entry = readonly [key: string, value: unknown];

function faultOfRecord(schema: TRecord, entries: readonly Entry[]): readonly Entry[] {
  const fault = entries.find(([key, value]) => !Check(schema, { [key]: value }));
  return fault === undefined ? [] : [fault];
}

function faultsOfObject({ properties }: TObject, entries: readonly Entry[]): readonly Entry[] {
  const unknown = entries.find(([key]) => !Object.hasOwn(properties, key));
  const known = entries.flatMap(([key, value]): readonly Entry[] => {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return schema === undefined ? [] : [[key, onlyFirstFaults(schema, value)]];
  });
  return unknown === undefined ? known : [...known, unknown];
}
