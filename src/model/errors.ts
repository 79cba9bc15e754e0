import { ERRORS, type ErrorCode, type ExitCode } from './error-catalogue.ts';

/** The names in `{name}`. */
export type ParameterNames<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : never;

/** What a code's message and hint quote. */
export type ErrorParameters<Code extends ErrorCode> = Record<
  ParameterNames<(typeof ERRORS)[Code]['message'] | (typeof ERRORS)[Code]['hint']>,
  string | number
>;

export interface ErrorContext {
  /** The input field at fault, as the API names it. */
  readonly field?: string;
  readonly cause?: unknown;
  /** After how many seconds it is worth trying again. */
  readonly retryAfter?: number;
}

/** An error for the user, from the catalogue; anything else that is thrown is a bug. */
export class HatobaError extends Error {
  override readonly name = 'HatobaError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, hint: string, context: ErrorContext) {
    super(message, context.cause === undefined ? {} : { cause: context.cause });
    this.code = code;
    this.hint = hint;
    this.field = context.field;
    this.retryAfter = context.retryAfter;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exit(): ExitCode {
    return ERRORS[this.code].exit;
  }
}

/** Makes (does not throw) the error `code`, its message and hint filled in. */
export function hatobaError<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  context: ErrorContext = {},
): HatobaError {
  const kind = ERRORS[code];
  return new HatobaError(code, fill(kind.message, parameters), fill(kind.hint, parameters), context);
}

/** The same error, said to be about `field`; other errors unchanged. */
export function inField(field: string, error: unknown): unknown {
  if (!(error instanceof HatobaError)) return error;
  return new HatobaError(error.code, error.message, error.hint, { field, cause: error.cause });
}

/** What `read` gives; what it throws is said to be about `field`. */
export function inFieldOf<Value>(field: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw inField(field, error);
  }
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Quoting {
  /** So many characters are enough. */
  readonly longest: number;
  /** What stands for an empty text. */
  readonly empty: string;
}

const QUOTING: Quoting = { longest: 120, empty: '""' };

/** The text with each `{name}` replaced by that parameter, safe to print. */
export function fill(
  text: string,
  parameters: Readonly<Record<string, string | number>>,
  quoting: Quoting = QUOTING,
): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => quote(String(parameters[name]), quoting));
}

/** Control characters and endless input stay out of logs and terminals. */
function quote(value: string, { longest, empty }: Quoting): string {
  if (value === '') return empty;
  const visible = value.slice(0, longest).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, escapeCharacter);
  return value.length > longest ? `${visible}…` : visible;
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}
