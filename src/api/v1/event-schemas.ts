import type { Readable } from 'node:stream';
import Type from 'typebox';
import { closed } from './schemas.ts';

export const EventQuery = Type.Object(
  {
    router: Type.Optional(Type.String()),
    after: Type.Optional(Type.Integer({ minimum: 0, description: 'the revision of a list, or the last id that came' })),
  },
  closed,
);

/** What a browser's EventSource sends when it connects again; other headers are not looked at. */
export const ResumeHeaders = Type.Object({ 'last-event-id': Type.Optional(Type.String()) });

/** Events as `EventDocument` has them, as text. */
export const EventStreamSchema = Type.Unsafe<Readable>({ type: 'string' });
