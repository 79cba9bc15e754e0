import { type HatobaError, hatobaError } from '../../model/errors.ts';

/**
 * The error `authentication_unavailable`. `reason` is told to anybody who asks, so it names no address; `cause` is for
 * the operator's log.
 */
export function unavailable(reason: string, cause: unknown): HatobaError {
  return hatobaError('authentication_unavailable', { reason }, { cause });
}
