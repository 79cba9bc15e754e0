import Type from 'typebox';
import { hatobaError } from '../../model/errors.ts';
import type { Forward } from '../../model/forward.ts';
import { requestMalformed } from '../validation.ts';

export const PreconditionHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'the revision it must still have, as the ETag gave it' })),
});

/** The ETag of a forward: the revision of what is wanted; its status changes without it. */
export function entityTag({ revision }: Pick<Forward, 'revision'>): string {
  return `"${revision}"`;
}

/**
 * The revision at which the forward must still be when the request is carried out (RFC 9110 §13.1.1); undefined: any. It is
 * the present one, where that is among those named. Errors: `request_malformed`, `revision_mismatch`.
 */
export function expectedRevision(
  ifMatch: string | undefined,
  forward: Pick<Forward, 'id' | 'revision'>,
): number | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const { id: value, revision: actual } = forward;
  // Comparison is strong, so a weak tag, `W/"5"`, is equal to none.
  if (readTags(ifMatch).includes(entityTag(forward))) return actual;
  throw hatobaError('revision_mismatch', { value, actual, expected: ifMatch.replaceAll('"', '') });
}

const TAG = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;

/** The entity tags of a list; of a single revision, the quotes may be left out. */
function readTags(text: string): readonly string[] {
  if (/^\d{1,15}$/.test(text)) return [`"${text}"`];
  if (!new RegExp(`^${TAG}(?:[ \\t]*,(?:[ \\t]*${TAG})?)*$`).test(text)) {
    throw requestMalformed(`if-match must be a revision in quotes, several of them, or *, not ${text}`, 'if-match');
  }
  return Array.from(text.matchAll(new RegExp(TAG, 'g')), ([tag]) => tag);
}
