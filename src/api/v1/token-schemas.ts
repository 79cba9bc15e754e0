import Type, { type Static } from 'typebox';
import { ROLES, type Role } from '../../model/caller.ts';
import { closed, ExpiresIn, named, Revision, Time } from './schemas.ts';

const RoleSchema = Type.Unsafe<Role>({ type: 'string', enum: ROLES });

const wish = {
  name: Type.String({ description: 'unique among tokens' }),
  role: RoleSchema,
  project: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'the project that it acts for; null: it acts for all of them, and for what belongs to none',
  }),
  expires_at: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'RFC 3339; null: never' }),
};

export const TokenCreateSchema = Type.Object(
  {
    name: wish.name,
    role: wish.role,
    project: Type.Optional(wish.project),
    expires_at: Type.Optional(wish.expires_at),
    expires_in: Type.Optional(ExpiresIn),
  },
  {
    ...named('TokenCreate'),
    examples: [
      { name: 'ci', role: 'member', project: '7a5b2d10c9e84f3f8e5d9b1c2a3f4e5d', expires_in: 2_592_000 },
      { name: 'monitoring', role: 'reader' },
    ],
  },
);

const document = {
  ...wish,
  id: Type.String(),
  state: Type.Unsafe<'valid' | 'expired'>({ type: 'string', enum: ['valid', 'expired'] }),
  created_by: Type.String({ description: 'who made it' }),
  created_at: Time,
};

export const TokenSchema = Type.Object(document, named('Token'));
export type TokenDocument = Static<typeof TokenSchema>;

export const IssuedTokenSchema = Type.Object(
  {
    ...document,
    secret: Type.String({ description: 'what proves the right to it; told this once, and kept nowhere' }),
  },
  named('IssuedToken'),
);
export type IssuedTokenDocument = Static<typeof IssuedTokenSchema>;

export const TokenListSchema = Type.Object({ tokens: Type.Immutable(Type.Array(TokenSchema)) }, named('TokenList'));
export type TokenList = Static<typeof TokenListSchema>;

export const TokenRevocationSchema = Type.Object({ id: Type.String(), revision: Revision }, named('TokenRevocation'));
export type TokenRevocation = Static<typeof TokenRevocationSchema>;

export const TokenParams = Type.Object({ reference: Type.String() }, closed);
