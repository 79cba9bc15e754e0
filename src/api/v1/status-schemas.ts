import Type, { type Static } from 'typebox';
import { closed, named, Revision, TextList, TextOrNull, Time } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });

const ForwardInErrorSchema = Type.Object(
  { id: Type.String(), name: TextOrNull, router: Type.String(), message: TextOrNull },
  closed,
);

const RouterInErrorSchema = Type.Object({ router: Type.String(), node: Type.String(), message: Type.String() }, closed);

const ConnectionTrackingSchema = Type.Object(
  {
    entries: Type.Integer({ minimum: 0, description: 'in all routers of this node' }),
    limit: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'of each router; 0: none' }),
    fullest: Type.Object({ router: Type.String(), entries: Count }, closed),
  },
  closed,
);

export const StatusSchema = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    roles: TextList,
    started_at: Time,
    store: Type.String(),
    store_trouble: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'why no change is accepted at present; null: changes are accepted',
    }),
    driver: TextOrNull,
    revision: Revision,
    listing_revision: Type.Integer({
      minimum: 0,
      description:
        'since which forwards, and the addresses that they have outside, are as they are; states can be newer',
    }),
    routers: Type.Integer({ minimum: 0, description: 'that some node has' }),
    forwards: Type.Object(
      { total: Count, active: Count, pending: Count, waiting: Count, disabled: Count, expired: Count, error: Count },
      closed,
    ),
    forwards_with_warnings: Count,
    forwards_in_error: Type.Immutable(
      Type.Array(ForwardInErrorSchema, {
        description: 'the first few, oldest first, but for those of routers_in_error',
      }),
    ),
    orphaned: Type.Object(
      { forwards: Count, routers: Count },
      { ...closed, description: 'forwards that are in the kernel and that the store does not know' },
    ),
    routers_in_error: Type.Immutable(Type.Array(RouterInErrorSchema, { description: 'the first few' })),
    connection_tracking: Type.Union([ConnectionTrackingSchema, Type.Null()], {
      description: 'null: this node has no router at present',
    }),
  },
  named('Status'),
);
export type StatusDocument = Static<typeof StatusSchema>;
