import type { Authenticate } from '../../src/api/access/guard.ts';
import { type Caller, ROLES } from '../../src/model/caller.ts';
import { hatobaError } from '../../src/model/errors.ts';

/** The token of a user with one role in a project, as the pipeline `tokens` of our Neutron reads it. */
export function readableToken(user: string, project: string, role: Caller['role']): string {
  const roles = ROLES.slice(0, ROLES.indexOf(role) + 1);
  return `${user}:${project}:${roles.join(',')}`;
}

/** Knows the same tokens. */
export const authenticateReadableToken: Authenticate = async ({ headers }) => {
  const [name, project, roles, ...more] = String(headers['x-auth-token'] ?? '').split(':');
  const role = ROLES.findLast((each) => roles?.split(',').includes(each));
  if (name === undefined || project === undefined || role === undefined || more.length > 0) {
    throw hatobaError('not_authenticated', { reason: 'there is no readable token' });
  }
  return { name, role, project, allProjects: role === 'admin' };
};
