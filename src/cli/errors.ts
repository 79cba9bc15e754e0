import { EXIT, type ExitCode } from '../model/error-catalogue.ts';
import { HatobaError, hatobaError, reasonOf } from '../model/errors.ts';
import { visible } from './output/text.ts';

/** What stderr says about whatever was thrown, without a final newline; the stack only where it is asked for. */
export function describeError(error: unknown, withStack: boolean): string {
  const known = error instanceof HatobaError ? error : hatobaError('internal_error', { reason: reasonOf(error) });
  const lines = [`hatoba: ${visible(known.message)}`];
  if (known.hint !== '') lines.push(describeHint(known.hint));
  if (withStack) lines.push(...stacks(error));
  return lines.join('\n');
}

export function describeHint(hint: string): string {
  return `  hint: ${visible(hint)}`;
}

/** The error with the words of the command line (`--external`, `argument internal`) for the API's field at fault. */
export function inWords(words: Readonly<Record<string, string>>, error: unknown): unknown {
  if (!(error instanceof HatobaError) || error.field === undefined) return error;
  const word = words[error.field];
  if (word === undefined) return error;
  const { code, message, hint, field, cause } = error;
  return new HatobaError(code, `${word}: ${message}`, hint, { field, cause });
}

export function exitOf(error: unknown): ExitCode {
  return error instanceof HatobaError ? error.exit : EXIT.failed;
}

function stacks(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? error.message, ...stacks(error.cause)];
}
