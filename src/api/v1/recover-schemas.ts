import Type, { type Static } from 'typebox';
import { ChangeSchema } from './apply-schemas.ts';
import { closed, named, Revision } from './schemas.ts';

const router = Type.Optional(Type.String({ description: 'only this one; default: all of this node' }));

export const RecoverSchema = Type.Object(
  {
    router,
    dry_run: Type.Optional(Type.Boolean({ description: 'say what would be made, and change nothing' })),
  },
  { ...named('RecoverRequest'), examples: [{ dry_run: true }] },
);
export type RecoverRequest = Static<typeof RecoverSchema>;

export const RecoverResultSchema = Type.Object(
  {
    node: Type.String(),
    dry_run: Type.Boolean(),
    revision: Revision,
    changes: Type.Immutable(
      Type.Array(ChangeSchema, {
        description:
          'forwards with the ids that they have in the kernel; `gateway` where they have its present address',
      }),
    ),
    left: Type.Immutable(
      Type.Array(Type.Object({ id: Type.String(), router: Type.String(), reason: Type.String() }, closed), {
        description: 'what could not be made a forward, and why',
      }),
    ),
  },
  named('RecoverResult'),
);
export type RecoverResult = Static<typeof RecoverResultSchema>;

export const CleanupSchema = Type.Object({ router }, { ...named('CleanupRequest'), examples: [{}] });
export type CleanupRequest = Static<typeof CleanupSchema>;

export const CleanupResultSchema = Type.Object(
  {
    node: Type.String(),
    removed: Type.Immutable(
      Type.Array(Type.Object({ router: Type.String(), forwards: Type.Integer({ minimum: 1 }) }, closed), {
        description: 'how many forwards that the store does not know were taken out of the kernel',
      }),
    ),
  },
  named('CleanupResult'),
);
export type CleanupResult = Static<typeof CleanupResultSchema>;
