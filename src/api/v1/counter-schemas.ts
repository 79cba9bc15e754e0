import Type, { type Static } from 'typebox';
import { closed, named, TextOrNull } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });
const CountOrNull = Type.Union([Count, Type.Null()]);

export const CountersSchema = Type.Object(
  {
    forward: Type.String(),
    router: Type.String(),
    node: Type.String(),
    connections: Count,
    packets_in: CountOrNull,
    bytes_in: CountOrNull,
    packets_out: CountOrNull,
    bytes_out: CountOrNull,
    last_used: TextOrNull,
    live: Type.Union([Count, Type.Null()], { description: 'flows there are now; null: not asked for' }),
  },
  named('Counters'),
);
export type CountersDocument = Static<typeof CountersSchema>;

export const CounterListSchema = Type.Object(
  { counters: Type.Immutable(Type.Array(CountersSchema)) },
  named('CounterList'),
);
export type CounterList = Static<typeof CounterListSchema>;

export const CounterQuery = Type.Object(
  {
    router: Type.Optional(Type.String()),
    live: Type.Optional(
      Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'], description: 'count live flows, too' }),
    ),
    forward: Type.Optional(Type.String({ description: "a forward's id, name or unique beginning of an id" })),
  },
  closed,
);
