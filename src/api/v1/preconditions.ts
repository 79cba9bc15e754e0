import Type from 'typebox';
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
 * The revision that a request expects (RFC 9110 §13.1.1); undefined: any. The quotes may be left out.
 * Errors: `request_malformed`.
 */
export function expectedRevision(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const match = /^(?:"(\d{1,15})"|(\d{1,15}))$/.exec(ifMatch);
  if (match === null) throw requestMalformed(`if-match must be one revision, not ${ifMatch}`, 'if-match');
  return Number(match[1] ?? match[2]);
}
