import type { Caller, Role } from '../../model/caller.ts';
import { hatobaError } from '../../model/errors.ts';
import type { Identity } from './token-document.ts';

/** The names that Keystone has for each of our roles. Upper and lower case are the same, as they are in OpenStack. */
export type RoleNames = Readonly<Record<Role, readonly string[]>>;

/**
 * What the owner of a token may do: the highest of its roles counts. As everywhere in OpenStack, an admin of any project
 * is admin of all; others see their project alone. Errors: `roles_useless`, `token_unscoped`.
 */
export function callerOf({ userId, user, domain, scope, roles }: Identity, names: RoleNames): Caller {
  if (scope.kind === 'other') throw hatobaError('token_unscoped', { user });
  const project = scope.kind === 'project' ? scope.project : null;
  // What reaches over the whole system belongs to no project, so only who may see all projects has a use for it.
  const useful: readonly Role[] = project === null ? ['admin'] : ['admin', 'member', 'reader'];
  const role = useful.find((one) => names[one].some((name) => includes(roles, name)));
  if (role === undefined) {
    const needed = useful.flatMap((one) => names[one]).join(', ');
    throw hatobaError('roles_useless', { user, roles: roles.join(', ') || 'none', needed });
  }
  const [id, name] = [`keystone ${userId}`, `keystone ${user}@${domain}`];
  return Object.freeze({ name, id, role, project, allProjects: role === 'admin' });
}

function includes(roles: readonly string[], name: string): boolean {
  return roles.some((role) => role.toLowerCase() === name.toLowerCase());
}
