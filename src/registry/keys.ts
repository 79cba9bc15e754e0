import { createHash } from 'node:crypto';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import type { Named } from './forwards/name-index.ts';

/**
 * Where things are in the store. Router ids, ids and names have no slashes; a node's name and a project, at the end of
 * their keys, may have any character.
 */
export const FORWARDS = 'forwards/';
export const GUARDS = 'guards/';
export const DRAINS = 'drains/';
export const REMOVALS = 'removals/';
export const TEARDOWNS = 'teardowns/';
export const STATUSES = 'statuses/';
export const PROJECTS = 'projects/';
export const TOKENS = 'tokens/';
export const REQUESTS = 'requests/';

export function forwardKey(router: RouterId, id: ForwardId): string {
  return `${FORWARDS}${router}/${id}`;
}

/** There as long as the router has forwards, and put anew by every commit that touches one of them. */
export function guardKey(router: RouterId): string {
  return GUARDS + router;
}

/** There from the removal of a forward whose flows are to go on until every node that has the router knows of it. */
export function drainKey(router: RouterId, id: ForwardId): string {
  return `${DRAINS}${router}/${id}`;
}

/**
 * There from a commit that removes forwards, or leads them elsewhere, until every node that has the router has applied it.
 * `id`: of its own, so that it is put once and deleted once.
 */
export function teardownKey(router: RouterId, id: string): string {
  return `${TEARDOWNS}${router}/${id}`;
}

/** There as long as a forward of the project, or of none, has the name; its value is the forward's id. `null`: it has no name. */
export function nameKeyOf({ name, projectId }: Named): string | null {
  if (name === null) return null;
  return projectId === null ? `names/${name}` : `names/${name}/${projectId}`;
}

/** Put anew by every commit that adds forwards to the project under a quota. */
export function projectKey(project: string): string {
  return PROJECTS + project;
}

/** Names forwards that were removed; in the order of their age. `time`: milliseconds since 1970; `nonce`: without a slash. */
export function removalKey(time: number, nonce: string): string {
  return `${REMOVALS}${String(time).padStart(15, '0')}-${nonce}`;
}

export function statusKey(router: RouterId, node: string): string {
  return `${STATUSES}${router}/${node}`;
}

export function tokenKey(id: string): string {
  return TOKENS + id;
}

/** There as long as an API token has the name; its value is the token's id. */
export function tokenNameKey(name: string): string {
  return `token-names/${name}`;
}

/** There from the answer to a request with a key until that is forgotten. Whatever the two texts are, no other key is like it. */
export function requestKey(caller: string, key: string): string {
  return `${REQUESTS}${digest(caller)}/${digest(key)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** The two parts behind the noun; the inverse of `forwardKey`, `drainKey`, `teardownKey` and `statusKey`. */
export function splitKey(key: string): { readonly router: RouterId; readonly rest: string } {
  const [, router = '', ...rest] = key.split('/');
  return { router, rest: rest.join('/') };
}
