import Type, { type Static } from 'typebox';
import { FORWARD_STATES, type ForwardState } from '../../model/status.ts';
import { FORWARD_SORTS, type ForwardSort } from './forward-order.ts';
import {
  closed,
  ExpiresIn,
  ListRevision,
  named,
  queryFlag,
  Revision,
  TextList,
  TextMap,
  TextOrNull,
  Time,
  WaitQuery,
} from './schemas.ts';

const State = Type.Unsafe<ForwardState>({ type: 'string', enum: FORWARD_STATES });

/** Also a plain number; what it may be is for the model to say, with errors of its own. */
const Ports = Type.Unsafe<string | number>({
  type: ['string', 'number'],
  description: 'a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones',
});

/** What a user can say of a forward, by field. */
export const wish = {
  name: TextOrNull,
  description: TextOrNull,
  project_id: TextOrNull,
  labels: TextMap,
  router: Type.String({ description: "a Neutron router's UUID, the name of a network namespace, or host" }),
  protocol: Type.String({ description: 'tcp (default), udp, sctp, dccp or udplite' }),
  external_address: Type.String({ description: 'an address, or gateway (default): the router’s own' }),
  external_port: Ports,
  internal_address: Type.String(),
  internal_port: Ports,
  sources: TextList,
  enabled: Type.Boolean(),
  expires_at: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'RFC 3339; null: never' }),
};

const { external_port, internal_address, ...others } = wish;

const creation = {
  ...Type.Partial(Type.Object({ ...others, expires_in: ExpiresIn })).properties,
  external_port,
  internal_address,
};
export const ForwardCreateSchema = Type.Object(creation, {
  ...named('ForwardCreate'),
  examples: [{ name: 'ssh', external_port: 5001, internal_address: '192.168.50.11', internal_port: 22 }],
});
export type ForwardCreate = Static<typeof ForwardCreateSchema>;

/** More at once would take so long that others had to wait for it; a file has no such limit. */
const MOST_AT_ONCE = 1000;

export const ForwardsCreateSchema = Type.Object(
  {
    forwards: Type.Immutable(
      Type.Array(Type.Object(creation, named('ForwardCreate')), { minItems: 1, maxItems: MOST_AT_ONCE }),
    ),
  },
  {
    ...named('ForwardsCreate'),
    examples: [
      {
        forwards: [
          { name: 'ssh', external_port: 5001, internal_address: '192.168.50.11', internal_port: 22 },
          { name: 'web', external_port: 'auto', internal_address: '192.168.50.12', internal_port: 80 },
        ],
      },
    ],
  },
);

export const ForwardPatchSchema = Type.Partial(Type.Object({ ...wish, expires_in: ExpiresIn }), {
  ...named('ForwardPatch'),
  examples: [{ enabled: false }, { sources: ['198.51.100.0/24'], expires_in: 7200 }],
});
export type ForwardPatch = Static<typeof ForwardPatchSchema>;

const NodeForwardStatusSchema = Type.Object(
  {
    node: Type.String(),
    state: State,
    external_address: TextOrNull,
    revision: Revision,
    at: Time,
    message: TextOrNull,
  },
  named('NodeForwardStatus'),
);

const ForwardStatusSchema = Type.Object(
  { state: State, message: TextOrNull, warnings: TextList, nodes: Type.Immutable(Type.Array(NodeForwardStatusSchema)) },
  named('ForwardStatus'),
);

export const ForwardSchema = Type.Object(
  {
    ...wish,
    external_port: Type.String(),
    internal_port: Type.String(),
    id: Type.String(),
    revision: Revision,
    created_at: Time,
    updated_at: Time,
    status: ForwardStatusSchema,
  },
  named('Forward'),
);
export type ForwardDocument = Static<typeof ForwardSchema>;

export const ForwardPageSchema = Type.Object(
  {
    forwards: Type.Immutable(Type.Array(ForwardSchema)),
    next: TextOrNull,
    revision: ListRevision,
  },
  named('ForwardPage'),
);
export type ForwardPage = Static<typeof ForwardPageSchema>;

export const DEFAULT_LIMIT = 1000;

export const ForwardListQuery = Type.Object(
  {
    router: Type.Optional(Type.String()),
    project_id: Type.Optional(Type.String()),
    state: Type.Optional(State),
    name: Type.Optional(Type.String()),
    protocol: Type.Optional(Type.String()),
    internal_address: Type.Optional(Type.String()),
    label: Type.Optional(Type.String({ description: 'KEY=VALUE' })),
    sort: Type.Optional(
      Type.Unsafe<ForwardSort>({
        type: 'string',
        enum: FORWARD_SORTS,
        default: 'created_at',
        description: 'what they are in the order of; with a minus, the other way round',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: DEFAULT_LIMIT })),
    marker: Type.Optional(Type.String({ description: 'the next of the page before' })),
  },
  closed,
);
export type ForwardListFilter = Static<typeof ForwardListQuery>;

export const ForwardRemovalQuery = Type.Object(
  { ...WaitQuery.properties, drain: queryFlag('its connections go on until they end by themselves') },
  closed,
);

export const ForwardRemovalSchema = Type.Object(
  {
    id: Type.String(),
    revision: Revision,
    applied: Type.Boolean({ description: 'whether no node has it in the kernel any more' }),
  },
  named('ForwardRemoval'),
);
export type ForwardRemoval = Static<typeof ForwardRemovalSchema>;

export const ForwardParams = Type.Object({ reference: Type.String() }, closed);
