import { HatobaError, inField } from './errors.ts';

/** One item of a batch of forwards, or a field of it, as the API names it: `forwards.3.external_port`. */
export function itemField(index: number, field?: string): string {
  return field === undefined ? `forwards.${index}` : `forwards.${index}.${field}`;
}

/** What `work` gives; an error of it is said to be about the item. */
export function inItem<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw inField(itemField(index, error instanceof HatobaError ? error.field : undefined), error);
  }
}
