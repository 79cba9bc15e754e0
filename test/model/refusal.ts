import { HatobaError } from '../../src/model/errors.ts';

/** The catalogue error that `action` ends in. Anything else it throws is passed on, and no error at all is one. */
export function refusal(action: () => unknown): HatobaError {
  try {
    action();
  } catch (error) {
    if (error instanceof HatobaError) return error;
    throw error;
  }
  throw new Error('accepted, although it should have been refused');
}

/** What `action` gives, or the catalogue error it ends in; anything else it throws is passed on. */
export function outcome<Value>(action: () => Value): Value | HatobaError {
  try {
    return action();
  } catch (error) {
    if (error instanceof HatobaError) return error;
    throw error;
  }
}
