import Type from 'typebox';
import Value from 'typebox/value';

/** Whom a token belongs to, and what it is good for. */
export interface Identity {
  readonly userId: string;
  /** The user's name, which is unique only within its domain. */
  readonly user: string;
  /** The name of the user's domain. */
  readonly domain: string;
  readonly scope: Scope;
  /** The names of the roles that the user has there. */
  readonly roles: readonly string[];
  /** In milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** `other`: a domain, or nothing at all. */
export type Scope =
  | { readonly kind: 'project'; readonly project: string }
  | { readonly kind: 'system' }
  | { readonly kind: 'other' };

/** As much as is read of what Keystone answers when it makes or checks a token. */
const TokenDocument = Type.Object({
  token: Type.Object({
    user: Type.Object({
      id: Type.String({ minLength: 1 }),
      name: Type.String(),
      domain: Type.Object({ name: Type.String() }),
    }),
    project: Type.Optional(Type.Object({ id: Type.String({ minLength: 1 }) })),
    system: Type.Optional(Type.Object({ all: Type.Literal(true) })),
    roles: Type.Optional(Type.Array(Type.Object({ name: Type.String() }))),
    issued_at: Type.String(),
    expires_at: Type.String(),
  }),
});

type Token = Type.Static<typeof TokenDocument>['token'];

/** Throws where it is not what Keystone's API says. */
export function parseToken(text: string): Identity {
  const { token } = Value.Parse(TokenDocument, JSON.parse(text));
  return Object.freeze({
    userId: token.user.id,
    user: token.user.name,
    domain: token.user.domain.name,
    scope: scopeOf(token),
    roles: (token.roles ?? []).map(({ name }) => name),
    issuedAt: parseMoment(token.issued_at),
    expiresAt: parseMoment(token.expires_at),
  });
}

function scopeOf({ project, system }: Token): Scope {
  if (project !== undefined) return { kind: 'project', project: project.id };
  return { kind: system === undefined ? 'other' : 'system' };
}

/** Keystone leaves the time zone out in some places; it always means UTC. */
function parseMoment(text: string): number {
  const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(time)) throw new Error(`${text} is not a time`);
  return time;
}
