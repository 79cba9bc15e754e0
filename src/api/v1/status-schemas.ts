import Type, { type Static } from 'typebox';
import { closed, Revision, TextList, TextOrNull, Time } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });

export const StatusSchema = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    roles: TextList,
    started_at: Time,
    store: Type.String(),
    driver: TextOrNull,
    revision: Revision,
    routers: Type.Integer({ minimum: 0, description: 'that some node has' }),
    forwards: Type.Object(
      { total: Count, active: Count, pending: Count, waiting: Count, disabled: Count, expired: Count, error: Count },
      closed,
    ),
  },
  closed,
);
export type StatusDocument = Static<typeof StatusSchema>;
