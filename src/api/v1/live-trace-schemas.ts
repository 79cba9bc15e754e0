import Type from 'typebox';
import { PACKET_OUTCOMES, type PacketOutcome } from '../../model/observation.ts';
import { closed, named, TextList, TextOrNull } from './schemas.ts';

/** Seconds. */
export const DEFAULT_TIMEOUT = 10;

export const liveFields = {
  live: Type.Optional(
    Type.Boolean({ description: 'also wait for such a packet, and tell what the kernel of this node does with it' }),
  ),
  timeout: Type.Optional(
    Type.Number({ minimum: 1, maximum: 60, description: `seconds to wait for it at most; default ${DEFAULT_TIMEOUT}` }),
  ),
} as const;

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });

const EndsSchema = Type.Object(
  { source: Type.String(), source_port: Port, destination: Type.String(), destination_port: Port },
  named('PacketEnds'),
);

const BaseSchema = Type.Object({ type: Type.String(), hook: Type.String(), priority: Type.Integer() }, closed);

const StepSchema = Type.Object(
  {
    table: Type.String({ description: 'family and name' }),
    chain: Type.String(),
    base: Type.Union([BaseSchema, Type.Null()], { description: 'where the kernel begins; null: it was jumped to' }),
    handle: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: "null: the chain's policy" }),
    rule: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'as nft prints it' }),
    verdict: Type.String(),
    ours: Type.Boolean(),
  },
  named('PacketStep'),
);

const WaySchema = Type.Object(
  {
    arrived: EndsSchema,
    from: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'interface; null: the router itself' }),
    steps: Type.Immutable(Type.Array(StepSchema)),
    outcome: Type.Unsafe<PacketOutcome>({ type: 'string', enum: PACKET_OUTCOMES }),
    left: Type.Union([EndsSchema, Type.Null()]),
    to: TextOrNull,
  },
  named('PacketWay'),
);

const CaughtSchema = Type.Object(
  {
    instance: Type.String(),
    way: WaySchema,
    known_flow: Type.Boolean({
      description: 'connection tracking led it as its flow had begun; no nat chain was asked',
    }),
    reply: Type.Union([WaySchema, Type.Null()], { description: 'null: none was seen within a second' }),
    as_compiled: Type.Boolean({ description: 'whether the kernel did what is said above' }),
    difference: TextOrNull,
    got_through: Type.Unsafe<boolean | null>({
      type: ['boolean', 'null'],
      description: 'whether the packet and its answer got where they belong; null: no answer was seen',
    }),
    verdict: Type.String({
      description: 'both in words: what the kernel did, and whether packet and answer got through',
    }),
    legacy_tables: Type.Immutable(TextList),
  },
  named('CaughtPacket'),
);

export const LiveSchema = Type.Object(
  {
    node: Type.String(),
    timeout: Type.Number(),
    packet: Type.Union([CaughtSchema, Type.Null()], { description: 'null: none came in time' }),
  },
  named('LiveTrace'),
);
