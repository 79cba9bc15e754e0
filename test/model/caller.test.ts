import { describe, expect, test } from 'vitest';
import { type Caller, hasRole, ROLES, sees } from '../../src/model/caller.ts';

const member: Caller = { name: 'token ci', role: 'member', project: 'red', allProjects: false };

describe('hasRole', () => {
  test.each([
    ['reader', ['reader']],
    ['member', ['reader', 'member']],
    ['admin', ['reader', 'member', 'admin']],
  ] as const)('a %s may do what needs %j', (role, allowed) => {
    expect(ROLES.filter((needed) => hasRole({ ...member, role }, needed))).toEqual(allowed);
  });
});

describe('sees', () => {
  test.each([
    [member, 'red', true],
    [member, 'blue', false],
    [member, null, false],
    [{ ...member, project: null }, null, false],
    [{ ...member, project: null, allProjects: true }, null, true],
    [{ ...member, allProjects: true }, 'blue', true],
  ] as const)('%j sees things of %j: %j', (caller, owner, expected) => {
    expect(sees(caller, owner)).toBe(expected);
  });
});
