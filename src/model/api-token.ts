import type { Caller, Role } from './caller.ts';
import { hatobaError, inFieldOf } from './errors.ts';
import { parseName, parseText } from './ids.ts';
import { parseTime } from './time.ts';

/** What whoever has the token may do, as an operator asks for it. */
export interface ApiTokenSpec {
  /** Unique among tokens. */
  readonly name: string;
  readonly role: Role;
  /** The project that it acts for; `null`: all of them. */
  readonly project: string | null;
  /** As `printTime` gives it; `null`: never. */
  readonly expiresAt: string | null;
}

/** A right to use the API that is proven by a secret. It is never changed, only made and revoked. */
export interface ApiToken extends ApiTokenSpec {
  /** A UUID in lower case. */
  readonly id: string;
  /** The name of the caller who made it. */
  readonly createdBy: string;
  readonly createdAt: string;
  /** SHA-256 of the secret, in hexadecimal; the secret itself is kept nowhere. */
  readonly secretHash: string;
}

/** A token as a user writes it. */
export interface ApiTokenInput {
  readonly name: string;
  readonly role: Role;
  readonly project?: string | null;
  readonly expires_at?: string | null;
}

/** Errors name the field at fault: `name_malformed`, `text_malformed`, `time_malformed`. */
export function parseApiTokenSpec(input: ApiTokenInput): ApiTokenSpec {
  const { name, role, project = null, expires_at: expiresAt = null } = input;
  return Object.freeze({
    name: inFieldOf('name', () => parseName(name)),
    role,
    project: project === null ? null : inFieldOf('project', () => parseProject(project)),
    expiresAt: expiresAt === null ? null : inFieldOf('expires_at', () => parseTime(expiresAt)),
  });
}

/** Whether its time has come at `now`, which is as `printTime` gives it. */
export function isTokenExpired({ expiresAt }: Pick<ApiToken, 'expiresAt'>, now: string): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Whoever has the token. */
export function callerOfToken({ name, role, project }: ApiTokenSpec): Caller {
  return Object.freeze({ name: `token ${name}`, role, project, allProjects: project === null });
}

/** An empty text would be easily taken for no project, and so for all of them. */
function parseProject(text: string): string {
  if (text === '') throw hatobaError('text_malformed', { value: text });
  return parseText(text);
}
