import Type, { type Static } from 'typebox';
import { FORWARD_STATES, type ForwardState } from '../../model/status.ts';
import { wish } from './forward-schemas.ts';
import { closed, named, queryFlag, Revision, TextOrNull, Time, WaitQuery } from './schemas.ts';

/** 100,000 forwards with names, descriptions and labels. */
export const FILE_LIMIT = 64 * 1024 * 1024;

const { external_port, internal_address, ...others } = wish;
const item = { ...Type.Partial(Type.Object(others)).properties, external_port, internal_address };

const ItemSchema = Type.Object(
  {
    ...item,
    id: Type.Optional(
      Type.String({
        description: 'which forward it is; without one, that of its name, else that at its place, else a new one',
      }),
    ),
  },
  named('ApplyItem'),
);
export type ApplyItem = Static<typeof ItemSchema>;

const PRUNE_SCOPES = ['routers', 'all'] as const;
export type PruneScope = (typeof PRUNE_SCOPES)[number];

export const ApplySchema = Type.Object(
  {
    forwards: Type.Immutable(Type.Array(ItemSchema)),
    router: Type.Optional(Type.String({ description: 'for forwards that name none' })),
    prune: Type.Optional(
      Type.Unsafe<PruneScope>({
        type: 'string',
        enum: PRUNE_SCOPES,
        description: 'remove all other forwards: of the routers that are named here, or of all',
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'say what would be changed, and change nothing' })),
  },
  {
    ...named('ApplyRequest'),
    examples: [
      {
        forwards: [{ name: 'ssh', external_port: 5001, internal_address: '192.168.50.11', internal_port: 22 }],
        prune: 'routers',
        dry_run: true,
      },
    ],
  },
);
export type ApplyRequest = Static<typeof ApplySchema>;

/** As `wish`, canonical. */
const printed = Type.Object({ ...wish, external_port: Type.String(), internal_port: Type.String() }, closed);
/** As `nullable` rather than `anyOf`, which fast-json-stringify tries out value by value. */
const SpecOrNull = Type.Unsafe<Static<typeof printed> | null>({ ...printed, nullable: true });

export const ChangeSchema = Type.Object(
  {
    change: Type.Unsafe<'create' | 'update' | 'remove'>({ type: 'string', enum: ['create', 'update', 'remove'] }),
    id: TextOrNull,
    before: SpecOrNull,
    after: SpecOrNull,
    state: Type.Unsafe<ForwardState | null>({ type: ['string', 'null'], enum: [...FORWARD_STATES, null] }),
    message: TextOrNull,
  },
  named('ApplyChange'),
);

const Count = Type.Integer({ minimum: 0 });

export const ApplyResultSchema = Type.Object(
  {
    revision: Revision,
    dry_run: Type.Boolean(),
    applied: Type.Boolean({
      description: 'whether every node that has one of these routers has come to that revision',
    }),
    created: Count,
    updated: Count,
    removed: Count,
    unchanged: Count,
    changes: Type.Immutable(Type.Array(ChangeSchema)),
  },
  named('ApplyResult'),
);
export type ApplyResult = Static<typeof ApplyResultSchema>;

export const RecordSchema = Type.Object(
  { id: Type.String(), ...printed.properties, created_at: Time, updated_at: Time },
  named('BackupForward'),
);

export const BackupSchema = Type.Object(
  {
    format: Type.Literal('hatoba-backup-1'),
    revision: Revision,
    forwards: Type.Immutable(Type.Array(RecordSchema)),
  },
  { ...named('Backup'), examples: [{ format: 'hatoba-backup-1', revision: 0, forwards: [] }] },
);
export type Backup = Static<typeof BackupSchema>;

export const RestoreQuery = Type.Object(
  {
    ...WaitQuery.properties,
    replace: queryFlag('also where there are forwards, which then are what the backup has'),
  },
  closed,
);
