import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts';
import { HatobaError } from '../model/errors.ts';
import { isRecord } from './guards.ts';

/**
 * The error that an RFC 9457 problem document tells; a code that this version does not know counts by its HTTP
 * status. Null: the document is no problem of hatoba's.
 */
export function readProblem(status: number, document: unknown): HatobaError | null {
  if (!isRecord(document)) return null;
  const { code, detail, hint, field } = document;
  if (typeof code !== 'string' || typeof detail !== 'string') return null;
  const context = typeof field === 'string' ? { field } : {};
  return new HatobaError(
    isErrorCode(code) ? code : codeOf(status),
    detail,
    typeof hint === 'string' ? hint : '',
    context,
  );
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function codeOf(status: number): ErrorCode {
  const known = Object.keys(ERRORS).filter(isErrorCode);
  return (
    known.find((code) => ERRORS[code].status === status) ?? (status < 500 ? 'request_malformed' : 'internal_error')
  );
}
