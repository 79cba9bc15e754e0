import Type from 'typebox';

/** Objects of the API have exactly the keys that their schema names. */
export const closed = { additionalProperties: false } as const;

/** The same, under the name that the description of the API has for it. */
export function named(title: string) {
  return { ...closed, title } as const;
}

/** As a `type` list rather than `anyOf`, which fast-json-stringify tries out value by value. */
export const TextOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'] });

export const TextList = Type.Immutable(Type.Array(Type.String()));

export const TextMap = Type.Record(Type.String(), Type.String(), closed);

export const Time = Type.String({ description: 'RFC 3339, UTC' });

export const Revision = Type.Integer({ minimum: 0 });

/** Of a list. */
export const ListRevision = Type.Integer({
  minimum: 0,
  description: 'what is listed is at least as new; events after it miss nothing',
});

/** In place of `expires_at`, so that the daemon's clock alone counts; a hundred years at most. */
export const ExpiresIn = Type.Integer({ minimum: 1, maximum: 3_155_760_000, description: 'seconds from now' });

/** Seconds. */
export const DEFAULT_WAIT = 5;

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 60,
        default: DEFAULT_WAIT,
        description: 'how many seconds to wait for the kernel at most',
      }),
    ),
  },
  closed,
);

/** In a query; without it, false. */
export function queryFlag(description: string) {
  return Type.Optional(Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'], description }));
}
