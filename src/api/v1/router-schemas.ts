import Type, { type Static } from 'typebox';
import { closed, ListRevision, named, Revision, TextList, TextOrNull, Time } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });

const RouterOnNodeSchema = Type.Object(
  {
    node: Type.String(),
    instances: TextList,
    gateways: TextList,
    revision: Revision,
    at: Time,
    error: TextOrNull,
    problems: Count,
  },
  named('RouterOnNode'),
);

export const RouterSchema = Type.Object(
  { id: Type.String(), gateways: TextList, forwards: Count, nodes: Type.Immutable(Type.Array(RouterOnNodeSchema)) },
  named('Router'),
);
export type RouterDocument = Static<typeof RouterSchema>;

export const RouterListSchema = Type.Object(
  { routers: Type.Immutable(Type.Array(RouterSchema)), revision: ListRevision },
  named('RouterList'),
);
export type RouterList = Static<typeof RouterListSchema>;

export const RouterParams = Type.Object({ reference: Type.String() }, closed);
