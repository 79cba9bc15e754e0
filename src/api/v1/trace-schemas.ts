import Type, { type Static } from 'typebox';
import { REFUSAL_REASONS, type RefusalReason } from '../../program/refusals.ts';
import { LiveSchema, liveFields } from './live-trace-schemas.ts';
import { closed, named, Revision, TextList, TextOrNull, Time } from './schemas.ts';

/** Also a plain number; what it may be is for the model to say, with errors of its own. */
const PortInput = Type.Unsafe<string | number>({ type: ['string', 'number'], description: 'one port' });

export const TraceRequestSchema = Type.Object(
  {
    router: Type.Optional(
      Type.String({ description: 'id, namespace or beginning of an id; may be left out where there is exactly one' }),
    ),
    protocol: Type.Optional(Type.String({ description: 'tcp (default), udp, sctp, dccp or udplite' })),
    source: Type.String(),
    source_port: Type.Optional(PortInput),
    destination: Type.String(),
    destination_port: PortInput,
    ...liveFields,
  },
  {
    ...named('TraceRequest'),
    examples: [{ source: '198.51.100.5', destination: '192.168.1.100', destination_port: 5001 }],
  },
);
export type TraceRequest = Static<typeof TraceRequestSchema>;

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const PortOrNull = Type.Union([Port, Type.Null()]);

const PacketSchema = Type.Object(
  {
    protocol: Type.String(),
    source: Type.String(),
    source_port: PortOrNull,
    destination: Type.String(),
    destination_port: Port,
  },
  closed,
);

const ReplySchema = Type.Object(
  {
    protocol: Type.String(),
    source: Type.String(),
    source_port: Port,
    destination: Type.String(),
    destination_port: PortOrNull,
  },
  closed,
);

const TracedForwardSchema = Type.Object(
  {
    id: Type.String(),
    name: TextOrNull,
    protocol: Type.String(),
    external_address: Type.String({ description: 'as it is at present; gateway where the router has none' }),
    external_port: Type.String(),
    internal_address: Type.String(),
    internal_port: Type.String(),
    sources: TextList,
    revision: Revision,
  },
  named('TracedForward'),
);

const Reason = Type.Unsafe<RefusalReason>({ type: 'string', enum: REFUSAL_REASONS });

const MissSchema = Type.Object(
  {
    forward: TracedForwardSchema,
    refusals: Type.Immutable(Type.Array(Type.Object({ reason: Reason, message: Type.String() }, closed))),
  },
  closed,
);

const TargetSchema = Type.Object(
  {
    address: Type.String(),
    port: Port,
    masquerade: Type.Unsafe<'same_interface'>({
      type: 'string',
      enum: ['same_interface'],
      description:
        'a client whose packets come in by the inside interface by which the target is reached is seen as the router, any other as itself',
    }),
  },
  closed,
);

const TraceOnNodeSchema = Type.Object(
  {
    node: Type.String(),
    applied: Type.Boolean({ description: 'whether its kernel does what is said here' }),
    revision: Revision,
    at: Time,
    message: TextOrNull,
  },
  closed,
);

/** The way of a packet, in its order. */
export const TraceSchema = Type.Object(
  {
    router: Type.String(),
    gateways: TextList,
    packet: PacketSchema,
    forward: Type.Union([TracedForwardSchema, Type.Null()], { description: 'null: none takes it' }),
    another_project: Type.Boolean({
      description: 'whether a forward of another project has what the packet is for; no more is told of it',
    }),
    misses: Type.Immutable(Type.Array(MissSchema, { description: 'the nearest first' })),
    target: Type.Union([TargetSchema, Type.Null()], { description: 'null: it goes on as it is' }),
    reply: Type.Union([ReplySchema, Type.Null()], { description: 'as the client sees it' }),
    nodes: Type.Immutable(Type.Array(TraceOnNodeSchema)),
    live: Type.Union([LiveSchema, Type.Null()], { description: 'null: not asked for' }),
  },
  named('Trace'),
);
export type TraceDocument = Static<typeof TraceSchema>;
