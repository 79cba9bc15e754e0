import type { Guard } from './guards.ts';

/** One operation of the API, as far as it matters at run time. */
export interface Operation<Answer> {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  /** The names of its other parameters, by where they go. */
  readonly query: readonly string[];
  readonly headers: readonly string[];
  readonly answer: Guard<Answer>;
}
