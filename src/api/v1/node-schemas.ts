import Type, { type Static } from 'typebox';
import { ListRevision, named, TextOrNull } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });

export const NodeSchema = Type.Object(
  {
    name: Type.String(),
    answers: Type.Boolean({ description: 'whether it is the one that gives this answer' }),
    version: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'null: only the node itself knows' }),
    roles: Type.Union([Type.Immutable(Type.Array(Type.String())), Type.Null()], { description: 'likewise' }),
    driver: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'of the kernel; likewise' }),
    started_at: TextOrNull,
    routers: Type.Integer({ minimum: 0, description: 'how many it has, or had when it last told of them' }),
    routers_in_error: Count,
    problems: Type.Integer({ minimum: 0, description: 'how many forwards are not in its kernel for a reason' }),
    last_told: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'when it last made or found something of a router, RFC 3339; null: it has none',
    }),
  },
  named('Node'),
);
export type NodeDocument = Static<typeof NodeSchema>;

export const NodeListSchema = Type.Object(
  { nodes: Type.Immutable(Type.Array(NodeSchema)), revision: ListRevision },
  named('NodeList'),
);
