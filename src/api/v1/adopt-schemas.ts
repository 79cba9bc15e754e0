import Type, { type Static } from 'typebox';
import { ChangeSchema } from './apply-schemas.ts';
import { closed, named, Revision, TextList, TextOrNull } from './schemas.ts';

export const AdoptSchema = Type.Object(
  {
    router: Type.Optional(Type.String({ description: 'may be left out where some node has exactly one' })),
    outside: Type.Optional(TextList),
    follow_gateway: Type.Optional(Type.Boolean()),
    all_addresses: Type.Optional(Type.Boolean()),
    plan: Type.Optional(Type.String({ description: 'the plan of a dry run: only if it would still be the same' })),
    dry_run: Type.Optional(Type.Boolean({ description: 'say what would be changed, and change nothing' })),
  },
  { ...named('AdoptRequest'), examples: [{ dry_run: true, follow_gateway: true }] },
);
export type AdoptRequest = Static<typeof AdoptSchema>;

const Count = Type.Integer({ minimum: 0 });
const rule = {
  instance: Type.String(),
  program: Type.String({ description: 'iptables-nft, ip6tables-nft, iptables-legacy, ip6tables-legacy or nft' }),
  text: Type.String({ description: 'as the program prints it' }),
};

const OUTCOMES = ['planned', 'removed', 'gone', 'kept', 'failed'] as const;
export type AdoptOutcome = (typeof OUTCOMES)[number];

const AdoptedSchema = Type.Object(
  {
    ...rule,
    outcome: Type.Unsafe<AdoptOutcome>({
      type: 'string',
      enum: OUTCOMES,
      description: 'gone: somebody had already removed it; kept: its forwards are not active',
    }),
    reason: TextOrNull,
    forwards: TextList,
  },
  named('AdoptedRule'),
);

export const AdoptResultSchema = Type.Object(
  {
    router: Type.String(),
    node: Type.String(),
    plan: Type.String({ description: 'what was planned, as a number: another plan has another one' }),
    dry_run: Type.Boolean(),
    revision: Revision,
    changes: Type.Immutable(Type.Array(ChangeSchema)),
    rules: Type.Immutable(Type.Array(AdoptedSchema)),
    left: Type.Immutable(Type.Array(Type.Object({ ...rule, reason: Type.String() }, closed))),
    bypassed: Type.Immutable(
      Type.Array(Type.Object({ ...rule, reason: Type.String() }, closed), {
        description: 'rules that report packets, stay, and are no longer met by those of the forwards',
      }),
    ),
    unread: Type.Immutable(Type.Array(Type.String(), { description: 'what could not be read, and why' })),
    addresses: Type.Immutable(
      Type.Array(Type.Object({ interface: Type.String(), address: Type.String() }, closed), {
        description: 'those that the router has on its outside interfaces on this node',
      }),
    ),
    owned: Type.Immutable(Type.Array(Type.Object({ owner: Type.String(), rules: Count }, closed))),
  },
  named('AdoptResult'),
);
export type AdoptResult = Static<typeof AdoptResultSchema>;
