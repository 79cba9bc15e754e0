import type { FastifySchemaCompiler } from 'fastify';
import { IsInteger, IsNumber, IsObject, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { type HatobaError, hatobaError } from '../model/errors.ts';
import { onlyFirstFaults } from './first-faults.ts';

/**
 * Checks a part of a request against its schema and changes nothing in it: no defaults, no unknown keys
 * dropped, no text taken for a number, but for decimal numbers in the query, which knows only text.
 * Error `request_malformed` with the field at fault.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const numbers = httpPart === 'querystring' ? numberKeys(schema) : [];
  return (value: unknown) => {
    const read = numbers.length === 0 ? value : readNumbers(value, numbers);
    if (validator.Check(read)) return { value: read };
    return { error: malformed(validator.Errors(onlyFirstFaults(schema, read)), httpPart ?? 'request') };
  };
};

/** A request that is not understood; `field` is left out where it is no plain name itself. */
export function requestMalformed(reason: string, field: string): HatobaError {
  return hatobaError('request_malformed', { reason }, /^[\w.-]{1,64}$/.test(field) ? { field } : {});
}

function numberKeys(schema: TSchema): readonly string[] {
  if (!IsObject(schema)) return [];
  return Object.entries(schema.properties).flatMap(([key, property]) =>
    IsInteger(property) || IsNumber(property) ? [key] : [],
  );
}

/** typebox's own conversion would also read `""`, `true` and `0x10` as numbers. */
function readNumbers(query: unknown, numbers: readonly string[]): unknown {
  if (typeof query !== 'object' || query === null) return query;
  const entries = Object.entries(query).map(([key, value]) => [key, numbers.includes(key) ? readNumber(value) : value]);
  return Object.fromEntries(entries);
}

function readNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
}

function malformed(errors: readonly TLocalizedValidationError[], part: string): HatobaError {
  const [error] = [...errors].sort((a, b) => rank(a) - rank(b));
  if (error === undefined) return requestMalformed(`the ${part} does not fit its schema`, part);
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const within = (key: string | undefined) => (path === '' ? `${key}` : `${path}.${key}`);
  if (error.keyword === 'additionalProperties') {
    const field = within(error.params.additionalProperties[0]);
    return requestMalformed(`${field} is not a known field`, field);
  }
  if (error.keyword === 'required') {
    const field = within(error.params.requiredProperties[0]);
    return requestMalformed(`${field} is missing`, field);
  }
  if (error.keyword === 'enum') {
    return requestMalformed(`${path} must be one of ${error.params.allowedValues.join(', ')}`, path);
  }
  return requestMalformed(`${path === '' ? `the ${part}` : path} ${error.message}`, path);
}

/** Of several errors the one that explains most comes first: an unknown key may be a misspelt missing one. */
function rank({ keyword }: TLocalizedValidationError): number {
  if (keyword === 'boolean') return 3;
  return ['additionalProperties', 'required'].indexOf(keyword) === -1 ? 2 : keyword === 'required' ? 1 : 0;
}
